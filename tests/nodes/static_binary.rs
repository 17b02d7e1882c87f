//! Whether a program needs nothing else to run: an ELF file without an interpreter.

use std::path::Path;

/// Type of a program header that names the dynamic linker (`PT_INTERP`).
const INTERPRETER: u32 = 3;

/// Says what the program needs, if anything.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if bytes.get(..5) != Some(b"\x7fELF\x02") {
        return Err("it is no 64-bit ELF file".to_owned());
    }
    let number = |offset: usize, length: usize| {
        let field = bytes.get(offset..offset.checked_add(length)?)?;
        Some(field.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    let headers = || {
        let place = usize::try_from(number(32, 8)?).ok()?;
        let (size, count) = (number(54, 2)?, number(56, 2)?);
        let offset_of = |at: u64| usize::try_from(at * size).ok()?.checked_add(place);
        (0..count).map(|at| number(offset_of(at)?, 4)).collect::<Option<Vec<u64>>>()
    };
    match headers() {
        None => Err("its program headers are not whole".to_owned()),
        Some(kinds) if kinds.contains(&u64::from(INTERPRETER)) => {
            Err("it needs a dynamic linker".to_owned())
        }
        Some(_) => Ok(()),
    }
}
