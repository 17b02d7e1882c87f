//! The practice outage: makes a node folder, breaks it, plays the service.
