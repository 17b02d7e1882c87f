//! What real servers kept, against their own answers; any bytes; pages.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::codec::{FOOTER_BYTES, footer};
use super::super::{Commit, SegmentInfo};
use super::writer::{Field, index_document, state_files, whole};
use super::*;

type Files = BTreeMap<String, Vec<u8>>;

const UUID: &str = "RQ9UjpSCRaW8Wkh2AsmvFw";
const OTHER_UUID: &str = "b_1-TfTnSc6l6H4Qy2o9QA";

/// Reads a whole `_state/`.
fn read(files: &Files) -> Result<KeptState, String> {
    let name = files.keys().find(|name| Commit::generation_of(name).is_some()).unwrap();
    let commit = Commit::decode(&files[name], Commit::generation_of(name).unwrap())
        .map_err(|error| error.to_string())?;
    let mut reader = ClusterStateReader::default();
    for segment in &commit.segments {
        let info = files.get(&format!("{}.si", segment.name)).ok_or("no .si")?;
        let info = SegmentInfo::decode(info).map_err(|error| error.to_string())?;
        let wanted = SegmentFiles::wanted(segment, &info).into_iter();
        let by_name =
            wanted.filter_map(|name| files.get(&name).map(|bytes| (name, bytes.clone()))).collect();
        let files = SegmentFiles { info, by_name };
        reader.add_segment(segment, &files).map_err(|error| error.to_string())?;
    }
    reader.finish()
}

fn servers() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cluster_state");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let servers: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    assert!(servers.len() >= 6, "{servers:?}");
    servers
}

fn files_of(server: &Path) -> Files {
    let entries = fs::read_dir(server.join("_state")).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn what_servers_kept_is_what_they_answered() {
    for server in servers() {
        let answer: Value =
            serde_json::from_slice(&fs::read(server.join("answer.json")).unwrap()).unwrap();
        let indices = answer["metadata"]["indices"].as_object().unwrap();
        let KeptState { indices: kept, voters } = read(&files_of(&server)).unwrap();
        let voters = voters.unwrap();
        let lens: Vec<usize> = voters.ids.iter().map(String::len).collect();
        assert_eq!(lens, [UUID_LEN], "each alone: {}", server.display());
        assert!(voters.age.0 > 0 && voters.age.1 > 0, "{voters:?}");
        assert_eq!((kept.len(), indices.len()), (3, 3), "{}", server.display());
        for (name, wanted) in indices {
            let settings = &wanted["settings"]["index"];
            let found = &kept[settings["uuid"].as_str().unwrap()];
            let in_sync: BTreeMap<String, Vec<String>> =
                serde_json::from_value(wanted["in_sync_allocations"].clone()).unwrap();
            let found_in_sync: BTreeMap<String, Vec<String>> = found
                .in_sync_allocations
                .iter()
                .map(|(shard, ids)| (shard.to_string(), ids.clone()))
                .collect();
            assert_eq!(&found.name, name);
            assert_eq!(found.uuid.as_deref(), settings["uuid"].as_str());
            assert_eq!(found.version, wanted["version"].as_i64());
            assert_eq!(found.open, wanted["state"] == "open");
            let replicas = found.replica_count.map(|count| count.to_string());
            assert_eq!(replicas.as_deref(), settings["number_of_replicas"].as_str());
            assert_eq!(found_in_sync, in_sync);
            assert!(in_sync.values().all(|ids| !ids.is_empty()));
        }
    }
}

#[test]
fn a_flip_or_a_cut_is_an_error_or_changes_nothing() {
    for server in servers() {
        let files = files_of(&server);
        let good = read(&files).unwrap();
        for name in files.keys() {
            let len = files[name].len();
            // Every byte of a small file, a sample of a large one.
            let step = (len / 80).max(1);
            let mut bad = files.clone();
            for at in (0..len).step_by(step) {
                bad.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
                let found = read(&bad);
                let harmless = Path::new(name).extension().is_some_and(|end| end == "cfs")
                    && found.as_ref() == Ok(&good);
                assert!(found.is_err() || harmless, "{} {name} flip at {at}", server.display());
                bad.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
                bad.insert(name.clone(), files[name][..at].to_vec());
                let found = read(&bad);
                // Behind the stored fields a .cfs has parts that are not read.
                let harmless = Path::new(name).extension().is_some_and(|end| end == "cfs")
                    && found.as_ref() == Ok(&good);
                assert!(found.is_err() || harmless, "{} {name} cut at {at}", server.display());
                bad.insert(name.clone(), files[name].clone());
            }
        }
    }
}

fn written(documents: &[Vec<Field>], deleted: &[usize]) -> Result<Vec<String>, String> {
    let files = state_files(documents, deleted).into_iter().collect();
    read(&files).map(|kept| kept.indices.into_values().map(|index| index.name).collect())
}

fn paged(uuid: &str, number: u8, is_last: u8, data: &[u8]) -> Vec<Field> {
    let text = Field::Text(uuid.to_owned());
    vec![text, Field::Number(number), Field::Number(is_last), Field::Bytes(data.to_vec())]
}

#[test]
fn deleted_documents_do_not_count() {
    let a = whole(&index_document("a", UUID, 1, &json!({})));
    let later = whole(&index_document("a", UUID, 2, &json!({})));
    let b = whole(&index_document("b", OTHER_UUID, 1, &json!({})));
    let cluster = whole(&json!({"meta-data": {"version": 3, "settings": [1]}}));
    let documents = [cluster, a, b, later];
    assert_eq!(written(&documents, &[1]).unwrap(), ["a", "b"]);
    assert_eq!(written(&documents, &[1, 2]).unwrap(), ["a"]);
    assert!(written(&documents, &[]).unwrap_err().contains("a second time"));
}

#[test]
fn an_index_may_be_called_as_the_clusters_own_document_is() {
    let odd = whole(&index_document("meta-data", UUID, 1, &json!({})));
    assert_eq!(written(&[odd], &[]).unwrap(), ["meta-data"]);
}

#[test]
fn pages_are_joined_in_any_order_and_must_all_be_there() {
    let data = serde_smile::to_vec(&index_document("a", UUID, 1, &json!({}))).unwrap();
    let pages: Vec<Vec<Field>> = data
        .chunks(data.len().div_ceil(3))
        .zip([(0, 0), (1, 0), (2, 1)])
        .map(|(chunk, (number, is_last))| paged(UUID, number, is_last, chunk))
        .collect();
    let [first, second, third] = pages.as_slice() else { panic!("{} pages", pages.len()) };
    let mapping = paged("0123456789012345678901234567890123456789abcd", 0, 1, b"any");
    let all = [third.clone(), mapping, first.clone(), second.clone()];
    assert_eq!(written(&all, &[]).unwrap(), ["a"]);
    assert!(written(&all[..3], &[]).unwrap_err().contains("only 2 of its pages"));
    let twice = [first.clone(), second.clone(), second.clone(), third.clone()];
    assert!(written(&twice, &[]).is_err());
    let other = [paged(OTHER_UUID, 0, 1, &data)];
    assert!(written(&other, &[]).unwrap_err().contains("under another UUID"));
    let too_long = [b"DFL\0".as_slice(), &deflated(&vec![0; DOCUMENT_MAX_BYTES + 1])].concat();
    assert!(written(&[paged(UUID, 0, 1, &too_long)], &[]).unwrap_err().contains("inflated"));
    let packed = [b"DFL\0".as_slice(), &deflated(&data)].concat();
    assert_eq!(written(&[paged(UUID, 0, 1, &packed)], &[]).unwrap(), ["a"]);
}

fn voting(term: i64, ids: &[&str]) -> Value {
    json!({"meta-data": {"version": 1, "cluster_coordination":
        {"term": term, "last_committed_config": ids, "last_accepted_config": ids}}})
}

fn voters(documents: &[Vec<Field>]) -> Option<Vec<String>> {
    let index = whole(&index_document("a", UUID, 1, &json!({})));
    let documents = [documents, &[index]].concat();
    let kept = read(&state_files(&documents, &[]).into_iter().collect()).unwrap();
    assert_eq!(kept.indices.len(), 1);
    kept.voters.map(|voters| voters.ids.into_iter().collect())
}

#[test]
fn the_clusters_own_document_tells_who_votes_whole_and_in_pages() {
    let page = |number, is_last, data: &[u8]| {
        vec![Field::Number(number), Field::Number(is_last), Field::Bytes(data.to_vec())]
    };
    let document = voting(3, &["b", "a"]);
    let wanted = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(voters(&[whole(&document)]), wanted);
    assert_eq!(voters(&[whole(&voting(2, &["c"])), whole(&document)]), wanted);
    let smile = serde_smile::to_vec(&document).unwrap();
    let packed = [b"DFL\0".as_slice(), &deflated(&smile)].concat();
    let (first, rest) = packed.split_at(9);
    assert_eq!(voters(&[page(1, 1, rest), page(0, 0, first)]), wanted);
    // What is odd about it costs no index.
    for odd in [
        vec![page(0, 0, first)],
        vec![page(0, 0, first), page(0, 0, first)],
        vec![page(0, 1, first)],
        vec![page(0, 1, rest)],
        vec![whole(&json!({"meta-data": {"cluster_coordination": {"term": "x"}}}))],
        vec![whole(&json!({"meta-data": {"version": 3}}))],
    ] {
        assert_eq!(voters(&odd), None);
    }
}

fn deflated(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let to = Vec::new();
    let mut encoder = flate2::write::DeflateEncoder::new(to, flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_read(versions in prop::collection::vec(0_i64..1000, 1..40)) {
        let uuid = |at: usize| format!("{at:022}");
        let documents: Vec<Vec<Field>> = versions
            .iter()
            .enumerate()
            .map(|(at, version)| {
                let in_sync = json!({"0": [format!("x{version}")], "1": []});
                whole(&index_document(&format!("i{at}"), &uuid(at), *version, &in_sync))
            })
            .collect();
        let kept = read(&state_files(&documents, &[]).into_iter().collect()).unwrap().indices;
        prop_assert_eq!(kept.len(), versions.len());
        for (at, version) in versions.iter().enumerate() {
            let found = &kept[&uuid(at)];
            prop_assert_eq!(found.version, Some(*version));
            prop_assert_eq!(&found.in_sync_allocations[&0], &[format!("x{version}")]);
        }
    }

    /// Checksums that hold over anything: no panic, and nothing without an end.
    #[test]
    fn any_content_under_a_sound_checksum_is_read_or_refused(
        file in 0_usize..4,
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let documents: Vec<Vec<Field>> = (0..5)
            .map(|at| whole(&index_document("i", &format!("{at:022}"), 1, &json!({"0": ["a"]}))))
            .collect();
        let mut files: Files = state_files(&documents, &[2]).into_iter().collect();
        let name = ["_0.fdt", "_0.fdm", "_0.si", "_0_1.liv"][file];
        let bytes = files.get_mut(name).unwrap();
        bytes.truncate(bytes.len() - FOOTER_BYTES);
        let at = at.index(bytes.len());
        bytes[at] = value;
        if cut {
            bytes.truncate(at);
        }
        footer(bytes);
        let _ = read(&files);
    }
}
