//! The rows of the table of problems: name, code, severity, what it means, what it costs, and what
//! is done about it. For what this program repairs, `action` is the default repair; for what it
//! leaves alone, the next action for a person. The man page and `docs/PROBLEMS.md` print the same
//! rows.

/// Hands the rows to another macro.
macro_rules! problem_table {
    ($codes:ident) => {
        $codes! {
            TranslogMissing "T01" Damage {
                meaning: "A generation of the translog that the server opens is not there.",
                cost: "Every operation of that generation that is not in the Lucene commit.",
                action: "An empty generation takes its place, or the translog ends before it; \
later generations go into quarantine.",
            }
            TranslogHeader "T02" Damage {
                meaning: "The header of a translog file is damaged or not whole.",
                cost: "Nothing by itself: the records behind it are usually whole.",
                action: "The header is written anew with the UUID of the commit.",
            }
            TranslogForeign "T03" Beyond {
                meaning: "The translog belongs to another shard: its UUID is not the commit's.",
                cost: "Unknown: the right translog may be elsewhere.",
                action: "Find out which files were copied or restored into this shard, and put \
the translog of this very shard back; this program does not join the two.",
            }
            RecordChecksum "T04" Damage {
                meaning: "The checksum of a record does not hold.",
                cost: "That record, and with the level `prefix` every later one.",
                action: "The translog ends before the record; what followed goes into quarantine \
and can be exported.",
            }
            RecordTorn "T05" Damage {
                meaning: "A record runs past the end of the file.",
                cost: "That record. Up to 1.7 most such tears are harmless to the server: where \
the file ends inside its last record, it may start without that record and say nothing. It is \
damage all the same, as an operation is lost.",
                action: "The translog ends before the record.",
            }
            RecordSize "T06" Damage {
                meaning: "The size field of a record is impossible.",
                cost: "That record, and with the level `prefix` every later one.",
                action: "The translog ends before the record.",
            }
            RecordBody "T07" Damage {
                meaning: "The body of a record is none the format knows.",
                cost: "That record, and with the level `prefix` every later one.",
                action: "The translog ends before the record.",
            }
            TranslogNewer "T08" Beyond {
                meaning: "A record or header is newer than this program.",
                cost: "Nothing: its checksum holds, so it is not damaged.",
                action: "Use a release of this program that knows the server's release; the file \
is left alone.",
            }
            StreamHidden "T09" Short {
                meaning: "The server would replay one translog file and throw away operations \
that only another one holds.",
                cost: "The operations of the other file, without a word in the log.",
                action: "The operations of all files are written into one, in order.",
            }
            NextGeneration "T10" Note {
                meaning: "An empty next generation was left by an interrupted roll; the server \
removes it at its second try.",
                cost: "Nothing.",
                action: "Nothing is done, unless the shard is repaired for another reason.",
            }
            Beyond "T11" Note {
                meaning: "There are bytes behind what the checkpoint counts: no server reads them, \
and as a rule they were not acknowledged.",
                cost: "As a rule nothing that a client was told is there. A server whose engine fails \
over a full disk can acknowledge what it does not count (seen on 5.6.16): send again what was sent \
while the disk filled.",
                action: "Nothing is done; they can be looked at with `inspect --ops`.",
            }
            Copies "T12" Note {
                meaning: "Generations left by failed starts repeat earlier operations.",
                cost: "Nothing: no client wrote them.",
                action: "They go into quarantine with a repair, else nothing is done.",
            }
            Temporary "T13" Note {
                meaning: "Left-overs of an interrupted checkpoint copy.",
                cost: "Nothing.",
                action: "They go into quarantine with a repair, else nothing is done.",
            }
            NotReplayed "T14" Note {
                meaning: "A generation that is already in the commit is damaged; the server does \
not read its records.",
                cost: "Nothing: its operations are in the Lucene commit.",
                action: "Nothing is done; the server removes the file in time.",
            }
            StreamEmpty "T15" Note {
                meaning: "The translog is empty or not there: whether it ever held operations \
cannot be told from the bytes.",
                cost: "Nothing that could be found.",
                action: "Nothing is done.",
            }
            ChainUnknown "T16" Beyond {
                meaning: "The generations do not follow from each other in any way this program \
knows.",
                cost: "Unknown.",
                action: "Keep a copy of the shard's folder and have its translog looked at with \
`inspect`; it is left alone.",
            }
            SizeIgnored "T17" Note {
                meaning: "A size field is wrong, which servers up to 1.7 do not read.",
                cost: "Nothing: the record is whole.",
                action: "Nothing is done.",
            }
            RecordTerm "T18" Damage {
                meaning: "A record has a later primary term than the header of its file, which \
the server refuses.",
                cost: "Nothing: the records are whole.",
                action: "The header is written anew with the term 0, which switches the \
comparison off.",
            }
            NextGenerationStays "T19" Damage {
                meaning: "A next generation was left by an interrupted roll, and servers of 2.0 \
never remove it.",
                cost: "Nothing.",
                action: "The left-over goes into quarantine.",
            }
            CheckpointMissing "C01" Damage {
                meaning: "A checkpoint that the server opens is not there.",
                cost: "Nothing, when the records are whole.",
                action: "The checkpoint is written anew from the records.",
            }
            CheckpointUnreadable "C02" Damage {
                meaning: "A checkpoint is damaged or not whole.",
                cost: "Nothing, when the records are whole.",
                action: "The checkpoint is written anew from the records.",
            }
            CheckpointShort "C03" Short {
                meaning: "The checkpoint counts fewer operations than there are before its own \
offset.",
                cost: "The operations that it does not count, without a word in the log.",
                action: "The checkpoint is written anew from the records.",
            }
            CheckpointLong "C04" Damage {
                meaning: "The checkpoint counts more operations than there are before its own \
offset.",
                cost: "Nothing, when the records are whole.",
                action: "The checkpoint is written anew from the records.",
            }
            CheckpointRange "C05" Short {
                meaning: "The checkpoint's lowest or highest sequence number leaves operations \
out.",
                cost: "From 7.7 on every operation of a generation whose highest number says that \
all of it is in the commit, without a word in the log; of any other range nothing, and then it is a \
note.",
                action: "The checkpoint is written anew from the records.",
            }
            CheckpointCopy "C06" Damage {
                meaning: "The copy of the newest checkpoint differs from it.",
                cost: "Nothing.",
                action: "The copy goes into quarantine.",
            }
            CheckpointGeneration "C07" Damage {
                meaning: "A checkpoint names another generation than its file.",
                cost: "Nothing, when the records are whole.",
                action: "The checkpoint is written anew from the records.",
            }
            CheckpointOffset "C08" Damage {
                meaning: "The checkpoint's offset lies inside a record that it counts.",
                cost: "Nothing, when the records are whole.",
                action: "The checkpoint is written anew from the records.",
            }
            CheckpointNewer "C09" Beyond {
                meaning: "A checkpoint is newer than this program.",
                cost: "Nothing: its checksum holds, so it is not damaged.",
                action: "Use a release of this program that knows the server's release; the file \
is left alone.",
            }
            OffsetPastEnd "C10" Note {
                meaning: "The checkpoint's offset lies behind the end of the file, but every \
operation is there.",
                cost: "Nothing: the server goes by the number of operations.",
                action: "Nothing is done.",
            }
            CheckpointLonger "C11" Note {
                meaning: "The checkpoint is longer than its form; the server reads its first 20 \
bytes.",
                cost: "Nothing.",
                action: "Nothing is done.",
            }
            ClosedGlobalCheckpoint "C12" Beyond {
                meaning: "The index is closed, and the global checkpoint is not the highest \
sequence number of the commit: the server does not start a closed shard like \
that.",
                cost: "Nothing: opened, the shard starts with every document.",
                action: "Open the index (`POST /INDEX/_open`); close it again when its shards are \
started.",
            }
            CommitMissing "I01" Beyond {
                meaning: "There is no Lucene commit.",
                cost: "Everything that was in the index; the translog holds only what came after \
the last commit.",
                action: "See whether the shard was restored or copied in part; else take another \
copy or a snapshot, and export the translog first.",
            }
            CommitUnreadable "I02" Beyond {
                meaning: "The newest Lucene commit cannot be read.",
                cost: "Unknown.",
                action: "Take another copy or a snapshot; else `elasticsearch-shard \
remove-corrupted-data`, after the translog was exported.",
            }
            CommitMarked "I03" Beyond {
                meaning: "The server has marked the Lucene index as corrupted.",
                cost: "Unknown: the marker says which file was found damaged.",
                action: "Read the marker with `inspect`, and verify the index with `check \
--deep`; take another copy or a snapshot, else `elasticsearch-shard \
remove-corrupted-data`.",
            }
            CommitWithoutTranslog "I04" Beyond {
                meaning: "The Lucene commit does not say which translog belongs to it.",
                cost: "Unknown.",
                action: "See whether this folder is a shard of a server at all; it is left alone.",
            }
            CommitNewer "I05" Beyond {
                meaning: "The newest Lucene commit is newer than this program.",
                cost: "Nothing: its checksum holds, so it is not damaged.",
                action: "Use a release of this program that knows the server's release; the shard \
is left alone.",
            }
            CommitTorn "I06" Note {
                meaning: "A commit was interrupted; the server goes back to the one before it.",
                cost: "Nothing: what it would have held is in the translog.",
                action: "Nothing is done.",
            }
            OlderCommitUnreadable "I07" Beyond {
                meaning: "An older Lucene commit cannot be read, and the server reads every one \
it finds.",
                cost: "Nothing, when the newest commit is whole.",
                action: "Move that one `segments_N` file out of the index folder while the node \
is stopped.",
            }
            IndexNameFatal "I08" Beyond {
                meaning: "A file in the index folder is named like a commit and is none: Lucene \
stops at its name.",
                cost: "Nothing.",
                action: "Move the file out of the index folder while the node is stopped.",
            }
            SegmentMissing "I09" Beyond {
                meaning: "A file of the Lucene commit is not there.",
                cost: "The documents of that segment.",
                action: "Take another copy or a snapshot; else `elasticsearch-shard \
remove-corrupted-data`, which drops the segment, after the translog was \
exported.",
            }
            SegmentDamaged "I10" Beyond {
                meaning: "A file of the Lucene commit is damaged.",
                cost: "The documents of that segment.",
                action: "Take another copy or a snapshot; else `elasticsearch-shard \
remove-corrupted-data`, which drops the segment, after the translog was \
exported.",
            }
            StateUnreadable "S01" Beyond {
                meaning: "No state file of the shard can be read, so the server does not know the \
copy.",
                cost: "Nothing: the index and the translog are not touched by it.",
                action: "Restore `_state` of the shard from a backup; else \
`allocate_stale_primary` by the cluster's reroute API brings the copy back.",
            }
            AllocationMissing "S02" Note {
                meaning: "The shard's state has no allocation id; from 5.0 on a copy without one \
is taken only for an index from before.",
                cost: "Nothing.",
                action: "When the shard does not start, `allocate_stale_primary` by the cluster's \
reroute API takes this copy.",
            }
            StateForeign "S03" Beyond {
                meaning: "The shard's state belongs to another index: its UUID is not that of the \
folder.",
                cost: "Nothing by itself.",
                action: "Find out which folder was copied or restored to here, and put the right \
one in its place.",
            }
            StateMissing "S04" Note {
                meaning: "The shard has no state file; a node does not find the copy without one.",
                cost: "Nothing.",
                action: "For a copy of the files this means nothing; in a node's folder restore \
`_state` of the shard from a backup.",
            }
            AllocationNotInSync "S05" Note {
                meaning: "The copy is not among those that the index's state on this disk names \
as in sync.",
                cost: "Nothing by itself; another copy may hold more.",
                action: "When the shard does not start, look at the other copies first; \
`allocate_stale_primary` takes this one.",
            }
        }
    };
}
