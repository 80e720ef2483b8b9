//! The toolbox: which tools there are, in a stable order (providers cache prompts by prefix). The server's own come
//! first; those of connected MCP servers follow and never take the name of another.

use crate::{Tool, arguments, files, hf_jobs, inspect_dataset, plan, shell};
use platform::ToolSpec;
use protocol::{ItemId, OutputItem};
use serde_json::Value;
use std::sync::Arc;

/// The tools that the server runs. Cheap to clone.
#[derive(Clone)]
pub struct Toolbox {
    tools: Arc<Vec<Entry>>,
}

#[derive(Clone)]
struct Entry {
    spec: ToolSpec,
    tool: Arc<dyn Tool>,
}

impl Default for Toolbox {
    fn default() -> Self {
        let tools: Vec<Arc<dyn Tool>> = vec![
            Arc::new(plan::PlanTool),
            Arc::new(inspect_dataset::InspectDataset),
            Arc::new(shell::Bash),
            Arc::new(files::Read),
            Arc::new(files::Write),
            Arc::new(files::Edit),
            Arc::new(hf_jobs::HfJobs),
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

    /// With more tools behind the others. One whose name is taken, here or in `taken`, is left out.
    #[must_use]
    pub fn with(&self, more: Vec<Arc<dyn Tool>>, taken: impl Fn(&str) -> bool) -> Self {
        let mut tools = self.tools.as_ref().clone();
        for tool in more {
            let spec = tool.spec();
            if !taken(&spec.name) && tools.iter().all(|known| known.spec.name != spec.name) {
                tools.push(Entry { spec, tool });
            }
        }
        Self {
            tools: Arc::new(tools),
        }
    }

    /// The item of a call that has just begun: under the label of the server whose tool it is.
    #[must_use]
    pub fn item(&self, id: ItemId, name: &str) -> OutputItem {
        match self.get(name).and_then(Tool::origin) {
            Some(origin) => OutputItem::call_of(id, origin.label, origin.name),
            None => OutputItem::call(id, name),
        }
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
