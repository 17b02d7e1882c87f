//! Log bytes -> findings: lines, stamps, signatures, scan; rotation and following.
