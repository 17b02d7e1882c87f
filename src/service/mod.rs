//! Stop, prove stopped, start: systemd, a command, or none; the service manager is a trait.
