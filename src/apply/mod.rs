//! Plan -> receipt: quarantine, write, rename, sync, each step in the journal before it happens.
