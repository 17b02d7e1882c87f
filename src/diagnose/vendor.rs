//! What a person does about damage in the Lucene index itself, which this program leaves alone: the
//! vendor's own tool, its exact command, and what comes before and after it.
//!
//! `elasticsearch-shard` is there from 6.5 on (Lucene 7.5), `opensearch-shard` always; before that
//! Lucene's `CheckIndex` does it, whose switch was `-fix` up to Lucene 4 and is `-exorcise` since 5
//! (`RemoveCorruptedShardDataCommand.java`, `CheckIndex.java`).

use super::diagnosis::Diagnosis;
use super::evidence::Evidence;
use super::problem::Code;
use crate::log::ShardName;

/// Damage that is in the Lucene index.
const LUCENE: [Code; 4] =
    [Code::CommitUnreadable, Code::CommitMarked, Code::SegmentMissing, Code::SegmentDamaged];
/// The last commit format of Lucene 4.
const FORMAT_OF_LUCENE_4: i32 = 3;
/// The first Lucene whose server has a tool for shards.
const LUCENE_OF_TOOL: (u32, u32) = (7, 5);

/// The vendor's tool for a Lucene index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    /// `elasticsearch-shard` or `opensearch-shard`.
    Shard,
    /// `CheckIndex` with this switch.
    CheckIndex(&'static str),
}

/// What to do, in order, about a shard whose Lucene index is damaged; `None` where it is not.
pub(super) fn steps(
    shard: &ShardName,
    evidence: &Evidence,
    diagnosis: &Diagnosis,
) -> Option<String> {
    diagnosis.problems.iter().find(|problem| LUCENE.contains(&problem.code))?;
    let mut commits = evidence.commits.iter().rev();
    let commit = commits.find_map(|file| file.commit.as_ref().ok());
    let tool = commit.map_or(Tool::Shard, |commit| tool(commit.format, commit.lucene_version));
    let mut steps = vec![
        "take another copy or a snapshot where there is one; else, as the user of the server and \
         with the node stopped"
            .to_owned(),
        format!("es-translog-fix export {}/{} -o FILE", shard.index, shard.number),
    ];
    let folder = evidence.index_folder.display();
    match tool {
        Tool::Shard => {
            steps.push(format!(
                "bin/elasticsearch-shard (OpenSearch: bin/opensearch-shard) remove-corrupted-data \
                 --index {} --shard-id {}, which drops the documents of the damaged segments",
                shard.index, shard.number
            ));
            steps.push(
                "start the node, and send it the request that the tool prints, with \
                 accept_data_loss true"
                    .to_owned(),
            );
        }
        Tool::CheckIndex(switch) => {
            steps.push(format!(
                "java -cp 'lib/*' org.apache.lucene.index.CheckIndex {folder} {switch}, which \
                 drops the documents of the damaged segments"
            ));
            let markers =
                evidence.markers.iter().map(|path| format!("move {} away", path.display()));
            steps.extend(markers.chain(["start the node".to_owned()]));
        }
    }
    steps.push("send FILE to _bulk for what is still missing".to_owned());
    let numbered = steps.iter().enumerate().map(|(place, step)| match place {
        0 => step.clone(),
        _ => format!("({place}) {step}"),
    });
    Some(numbered.collect::<Vec<_>>().join("; "))
}

/// The tool for a commit of this format and Lucene. For one that cannot be read it is that of the
/// servers of today.
fn tool(format: i32, lucene: Option<(u32, u32, u32)>) -> Tool {
    match lucene {
        Some((major, minor, _)) if (major, minor) >= LUCENE_OF_TOOL => Tool::Shard,
        None if format <= FORMAT_OF_LUCENE_4 => Tool::CheckIndex("-fix"),
        _ => Tool::CheckIndex("-exorcise"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_has_its_tool() {
        assert_eq!(tool(3, None), Tool::CheckIndex("-fix"), "1.7");
        assert_eq!(tool(5, None), Tool::CheckIndex("-exorcise"), "2.0");
        assert_eq!(tool(6, Some((6, 6, 1))), Tool::CheckIndex("-exorcise"), "5.6");
        assert_eq!(tool(7, Some((7, 4, 0))), Tool::CheckIndex("-exorcise"), "6.4");
        assert_eq!(tool(9, Some((7, 5, 0))), Tool::Shard, "6.5");
        assert_eq!(tool(10, Some((10, 3, 0))), Tool::Shard, "9.3");
    }
}
