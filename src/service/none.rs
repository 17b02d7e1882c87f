//! No service: somebody else stopped the node, and will start it.

use std::time::Duration;

use super::{Manager, Service, ServiceError, ServiceState};

/// `--service none`. It claims that the node is down; the node's locks have to prove it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoService;

impl Service for NoService {
    fn name(&self) -> String {
        "no service".to_owned()
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        Ok(ServiceState::Stopped)
    }

    fn stop(&mut self, _limit: Duration) -> Result<(), ServiceError> {
        Ok(())
    }

    fn start(&mut self, _limit: Duration) -> Result<(), ServiceError> {
        Ok(())
    }

    fn can_start(&self) -> bool {
        false
    }
}

impl Manager for NoService {}
