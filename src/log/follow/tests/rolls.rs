//! Logs that are rolled while nobody follows them, and in the middle of a look.

use super::*;

#[test]
fn a_stop_of_any_length_is_caught_up_with() {
    let mut log = Log::new();
    let line = log.line();
    log.write(&line);
    let mut follower = Follower::at_end(&log.path()).unwrap();
    let line = log.line();
    log.write(&line);
    let mut seen = String::new();
    look(&mut follower, &mut seen);
    let position = follower.position().unwrap();
    drop(follower);
    log.written.clear();
    let mut half = None;
    for act in [
        Act::Line,
        Act::Rename,
        Act::Line,
        Act::CompressNewest,
        Act::Line,
        Act::CopyTruncate,
        Act::Line,
        Act::CompressOlder,
        Act::Line,
        Act::RenameAndCreate,
        Act::CompressNewest,
        Act::Line,
    ] {
        do_it(&mut log, act, &mut half);
    }
    let (mut follower, is_found) = Follower::resume(&log.path(), position.clone()).unwrap();
    assert!(is_found);
    let mut seen = String::new();
    look(&mut follower, &mut seen);
    assert_eq!(seen, log.written);
    fs::remove_dir_all(log.folder.path()).unwrap();
    let (_, is_found) = Follower::resume(&log.path(), position).unwrap();
    assert!(!is_found, "a place that is gone is said to be");
}

/// As servers of 5.0 and later do it: renamed, compressed by another thread, and only then deleted.
#[test]
fn rolls_in_the_middle_of_a_look_lose_and_double_nothing() {
    const ROLLS: usize = 400;
    let mut log = Log::new();
    let path = log.path();
    let line = log.line();
    log.write(&line);
    let mut follower = Follower::at_end(&path).unwrap();
    log.written.clear();
    let (done, is_done) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        for number in 0..ROLLS {
            for _ in 0..3 {
                let line = log.line();
                log.write(&line);
            }
            let rolled = log.folder.path().join(format!("c-2026-11-23-{number}.log"));
            fs::rename(log.path(), &rolled).unwrap();
            let line = log.line();
            log.write(&line);
            let file = fs::File::create(rolled.with_extension("log.gz")).unwrap();
            let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            encoder.write_all(&fs::read(&rolled).unwrap()).unwrap();
            encoder.finish().unwrap();
            fs::remove_file(rolled).unwrap();
        }
        done.send(()).unwrap();
        log
    });
    let mut seen = String::new();
    while is_done.try_recv().is_err() {
        look(&mut follower, &mut seen);
    }
    look(&mut follower, &mut seen);
    let log = writer.join().unwrap();
    assert_eq!(seen.len(), log.written.len());
    assert_eq!(seen, log.written);
}
