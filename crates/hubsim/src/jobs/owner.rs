//! Who may use the jobs of a namespace.

use crate::error::HubError;
use crate::token::Account;

/// Only the namespace's own account, with a token that may write jobs. Errors: 403.
pub fn check(account: &Account, namespace: &str) -> Result<(), HubError> {
    if !account.may_write() {
        return Err(HubError::forbidden(
            "This token does not have the job.write permission",
        ));
    }
    if account.name != namespace {
        return Err(HubError::forbidden(format!(
            "You cannot use jobs in the namespace {namespace}"
        )));
    }
    Ok(())
}
