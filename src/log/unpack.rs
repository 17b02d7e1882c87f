//! Reading a log file, compressed or not: what it is, its first bytes tell.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use nix::fcntl::OFlag;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Bytes that a decoder reads at once.
const PACKED_BYTES: usize = 64 * 1024;

/// A log file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the log {}: {source}", path.display())]
pub struct LogError {
    /// The file.
    pub path: PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

impl LogError {
    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_path_buf(), source }
    }
}

/// Opens a regular file for reading without leaving a trace, where the system allows that. A link
/// is followed, and may lead to a device without an end.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((flags | OFlag::O_NOATIME).bits());
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.custom_flags(flags.bits()).open(path)
        }
        other => other,
    }?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// Opens a file for reading what was written before it was compressed.
pub(super) fn open_unpacked(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = open(path)?;
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(6).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    let packed = |file| BufReader::with_capacity(PACKED_BYTES, file);
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(packed(file))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Frames { decoder: Some(frame(packed(file))?) }),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(XzReader::new(packed(file), true)),
        _ => Box::new(file),
    })
}

/// A compressed file that a full disk cut short, or that is being written.
pub(super) fn is_torn(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}

type Frame = StreamingDecoder<BufReader<File>, FrameDecoder>;

/// A `.zst` file: one frame or several.
struct Frames {
    decoder: Option<Frame>,
}

fn frame(packed: BufReader<File>) -> io::Result<Frame> {
    StreamingDecoder::new(packed).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(ended) = self.decoder.take() else { break };
            let mut packed = ended.into_inner();
            if !packed.fill_buf()?.is_empty() {
                self.decoder = Some(frame(packed)?);
            }
        }
        Ok(0)
    }
}
