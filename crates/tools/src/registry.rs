//! The toolbox: which tools there are, in a stable order (providers cache prompts by prefix).

use crate::{Tool, arguments, files, hf_jobs, inspect_dataset, plan, shell};
use platform::ToolSpec;
use serde_json::Value;
use std::sync::Arc;

/// All tools of the server. Cheap to clone.
#[derive(Clone)]
pub struct Toolbox {
    tools: Arc<Vec<Entry>>,
}

struct Entry {
    spec: ToolSpec,
    tool: Box<dyn Tool>,
}

impl Default for Toolbox {
    fn default() -> Self {
        let tools: Vec<Box<dyn Tool>> = vec![
            Box::new(plan::PlanTool),
            Box::new(inspect_dataset::InspectDataset),
            Box::new(shell::Bash),
            Box::new(files::Read),
            Box::new(files::Write),
            Box::new(files::Edit),
            Box::new(hf_jobs::HfJobs),
        ];
        let entries = tools.into_iter().map(|tool| Entry {
            spec: tool.spec(),
            tool,
        });
        Self {
            tools: Arc::new(entries.collect()),
        }
    }
}

impl Toolbox {
    /// What the model is told, in order.
    #[must_use]
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|entry| entry.spec.clone()).collect()
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Tool> {
        self.entry(name).map(|entry| entry.tool.as_ref())
    }

    /// Checks a call's arguments.
    ///
    /// # Errors
    /// A sentence for the model: there is no such tool, or the arguments do not fit its schema.
    pub fn check(&self, name: &str, arguments: &str) -> Result<Value, String> {
        let Some(entry) = self.entry(name) else {
            let names: Vec<&str> = self
                .tools
                .iter()
                .map(|entry| entry.spec.name.as_str())
                .collect();
            let name: String = name.chars().take(100).collect();
            return Err(format!(
                "there is no tool `{name}`; the tools are {}",
                names.join(", ")
            ));
        };
        arguments::check(&entry.spec.parameters, arguments)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.tools.iter().find(|entry| entry.spec.name == name)
    }
}
