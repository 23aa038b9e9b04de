//! Which deployments a command means. The same flags everywhere.

use clap::Args;

use super::complete;
use crate::project::{Selection, Vars, vars::listed};

/// Flags that select deployments.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct SelectionArgs {
    /// Deployments (`dev/local/hello`) or sites
    #[arg(value_name = "DEPLOYMENT", add = complete::deployments())]
    pub(super) deployments: Vec<String>,
    /// Only these sites
    #[arg(long, value_name = "SITE", value_delimiter = ',', add = complete::sites())]
    pub(super) site: Vec<String>,
    /// Providers, separated by commas or spaces [env: CLOWD_PROVIDERS]
    #[arg(long, value_name = "PROVIDERS", add = complete::providers())]
    pub(super) provider: Vec<String>,
    /// Environment [env: OTTO_ENV]
    #[arg(long, value_name = "ENVIRONMENT", add = complete::environments())]
    pub(super) env: Option<String>,
}

impl SelectionArgs {
    /// As a selection, with the environment's defaults.
    pub(super) fn selection(&self, vars: &Vars) -> Selection {
        let flags = self.flags();
        flags.with_defaults(vars)
    }

    /// As a selection of what is named on the command line only.
    pub(super) fn flags(&self) -> Selection {
        Selection {
            deployments: self.deployments.clone(),
            sites: self.site.iter().flat_map(|s| listed(s)).collect(),
            providers: self.provider.iter().flat_map(|p| listed(p)).collect(),
            environment: self.env.clone(),
            ..Selection::default()
        }
    }
}
