//! `hf_jobs`: compute on Hugging Face hardware, under the caller's account.

mod arguments;
mod discover;
mod follow;
mod list;
mod run;
mod script;
mod timeout;

use crate::{Adopted, Call, EffectClass, Outcome, Price, Settlement, Tool, ToolSession};
use arguments::{Arguments, Operation};
use futures_util::future::BoxFuture;
use platform::ToolSpec;
use serde_json::Value;

pub(crate) struct HfJobs;

impl Tool for HfJobs {
    fn spec(&self) -> ToolSpec {
        arguments::spec()
    }

    fn effect(&self, arguments: &Value) -> EffectClass {
        match Arguments::read(arguments).map(|arguments| arguments.operation) {
            Ok(Operation::Run) => EffectClass::Once,
            Ok(Operation::Cancel) => EffectClass::Idempotent,
            _ => EffectClass::Read,
        }
    }

    fn starts_job(&self, arguments: &Value) -> bool {
        Arguments::read(arguments).is_ok_and(|arguments| arguments.operation == Operation::Run)
    }

    fn adopt(&self, arguments: Value, call: Call, job: Adopted) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            match Arguments::read(&arguments) {
                Ok(arguments) => run::adopt(&arguments, &call, job).await,
                Err(reason) => Outcome::failed(reason).settled(Settlement::StillRunning),
            }
        })
    }

    fn needs_sandbox(&self, arguments: &Value) -> bool {
        Arguments::read(arguments).is_ok_and(|arguments| {
            arguments.operation == Operation::Run
                && arguments.script.as_deref().is_some_and(script::is_path)
        })
    }

    fn price<'a>(&'a self, arguments: &'a Value, session: &'a ToolSession) -> BoxFuture<'a, Price> {
        Box::pin(async move {
            match Arguments::read(arguments) {
                Ok(arguments) if arguments.operation == Operation::Run => {
                    run::price(&arguments, session).await
                }
                Ok(_) => Price::Free,
                Err(reason) => Price::Refused(reason),
            }
        })
    }

    fn call(&self, arguments: Value, call: Call) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            let arguments = match Arguments::read(&arguments) {
                Ok(arguments) => arguments,
                Err(reason) => return Outcome::failed(reason),
            };
            match arguments.operation {
                Operation::Run => run::run(arguments, &call).await,
                Operation::Ps => list::ps(&arguments, &call.session).await,
                Operation::Inspect => list::inspect(&arguments, &call.session).await,
                Operation::Logs => list::logs(&arguments, &call).await,
                Operation::Cancel => list::cancel(&arguments, &call.session).await,
            }
        })
    }
}
