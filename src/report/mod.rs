//! People, JSON: all made from one closed list of events.
