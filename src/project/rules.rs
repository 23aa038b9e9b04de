//! Rules of one deployment: what is right in each file and wrong in this combination of site and provider.

use crate::model::site::{DeploymentSpec, balances, serves_pages};
use crate::model::tls::Source;
use crate::model::{DeploymentId, Project, Provider, ProviderKind};

use super::near;
use super::origin::{Origin, Origins};
use super::problem::Problem;

/// Beside the appliances in `base`: what a role without an image boots.
const BOX: &str = "box";

/// What is wrong with a deployment, each finding with the line of its key.
pub fn placed(project: &Project, origins: &Origins, id: &DeploymentId) -> Vec<Problem> {
    let mut problems = check(project, id);
    for problem in &mut problems {
        let key = project.sites.get(&id.site).and_then(|site| site.environment_key(&id.environment));
        let key = key.unwrap_or_else(|| id.environment.to_string());
        let over = format!("sites.{}.environments.{key}.{}", id.site, problem.key);
        let base = format!("sites.{}.{}", id.site, problem.key);
        let origin = origins.0.get(&over).or_else(|| origins.get(&base));
        if let Some(Origin::File { file, line, column }) = origin {
            problem.file.clone_from(file);
            (problem.line, problem.column) = (Some(*line), Some(*column));
        }
    }
    problems
}

/// What is wrong with a deployment; warnings among it are marked. Lines are not known here ([`placed`] adds them).
pub fn check(project: &Project, id: &DeploymentId) -> Vec<Problem> {
    let Some(provider) = project.provider_specs.get(&id.provider) else {
        let hint = near::suggestion(id.provider.as_str(), project.provider_specs.keys().map(|name| name.as_str()));
        return vec![Problem::new(format!("unknown provider `{}`", id.provider)).hint(hint)];
    };
    if !project.sites.contains_key(&id.site) {
        let hint = near::suggestion(id.site.as_str(), project.sites.keys().map(|name| name.as_str()));
        return vec![Problem::new(format!("unknown site `{}`", id.site)).hint(hint)];
    }
    let file = format!("sites/{}/site.yaml", id.site);
    let Some(spec) = project.wanted(id) else {
        return vec![Problem { file, ..not_for(project, id) }];
    };
    let mut problems = if spec.on.is_some() { Vec::new() } else { serving(&spec, provider) };
    if provider.kind != ProviderKind::Static && spec.on.is_none() {
        problems.extend(images(project, &spec, provider));
    }
    for problem in &mut problems {
        problem.file.clone_from(&file);
    }
    problems
}

/// Why a site of the project has no deployment on a provider of the project.
pub(super) fn not_for(project: &Project, id: &DeploymentId) -> Problem {
    let message = format!("site `{}` is not for provider `{}` in `{}`", id.site, id.provider, id.environment);
    let shape = project.sites.get(&id.site).map(|site| site.shape(&id.environment));
    let kind = project.provider_specs.get(&id.provider).map(|provider| provider.kind);
    let restricted = shape.and_then(|shape| shape.providers.as_ref()).is_some_and(|only| !only.contains(&id.provider));
    match (shape.and_then(|shape| shape.on.as_ref()), kind) {
        _ if restricted => {}
        (Some(on), _) => {
            let hint =
                format!("it lives on `{on}`, which is not for it either: see `roles`, `static` and `providers` there");
            return Problem::new(message).key("on").hint(hint);
        }
        (None, Some(ProviderKind::Static)) => {
            let hint =
                "its `site.yaml` names no machines: `static: {hosts: [{name: web-a, role: www, address: 10.0.0.5}]}`";
            return Problem::new(message).key("static").hint(hint);
        }
        (None, _) if shape.is_some_and(|shape| shape.roles.is_empty()) => {
            return Problem::new(message).key("roles").hint("its `site.yaml` has no `roles`");
        }
        _ => {}
    }
    Problem::new(message).key("providers").hint("see `providers` in its `site.yaml` and in `otto.yaml`")
}

/// Who answers visitors.
fn serving(spec: &DeploymentSpec, provider: &Provider) -> Vec<Problem> {
    let hosts = |wanted: fn(&str) -> bool| -> u32 {
        spec.roles.iter().filter(|(name, _)| wanted(name.as_str())).map(|(_, role)| role.count).sum()
    };
    let (servers, balancers) = (hosts(serves_pages), hosts(balances));
    let mut problems = Vec::new();
    if spec.has_cloud_balancer() {
        problems.extend(balanced_by_cloud(spec, provider));
        return problems;
    }
    if servers > 1 && balancers == 0 {
        let problem =
            Problem::new(format!("{servers} hosts serve pages on `{}` and no role `lb` spreads requests", spec.id))
                .key("roles.www.count")
                .hint("add a role `lb`, or set the count to 1");
        problems.push(if provider.probed { problem } else { problem.warn() });
    }
    if servers == 0 && !spec.roles.is_empty() && spec.roles.values().any(|role| role.count > 0) {
        let problem = Problem::new(format!("no host of `{}` serves pages", spec.id)).key("roles");
        problems.push(problem.hint("the role that does is called `www` (or `clowd`)").warn());
    }
    problems
}

/// `roles.lb: {kind: cloud}`: the provider has to have one, and what it cannot do is said.
fn balanced_by_cloud(spec: &DeploymentSpec, provider: &Provider) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !provider.takes("cloud_balancer") {
        let problem = Problem::new(format!("`{}` has no load balancer of its own", provider.name)).key("roles.lb.kind");
        problems.push(problem.hint(
            "a balancer on a host is `lb: {image: haproxy, count: 1}`; for one of the cloud, its root declares the variable `cloud_balancer`",
        ));
    }
    if spec.tls.as_ref().is_some_and(|tls| matches!(tls.source, Source::Acme { .. })) {
        let message =
            "`acme` cannot be behind the provider's load balancer: the authority's question may reach any host";
        let problem = Problem::new(message).key("tls");
        problems.push(problem.hint("use `tls: files` or `self-signed`, or a balancer on a host"));
    }
    if let Some((name, _)) = spec.roles.iter().find(|(name, role)| balances(name.as_str()) && role.count > 0) {
        let problem =
            Problem::new(format!("`{name}` and the provider's own load balancer both want to answer visitors"));
        problems.push(problem.key(format!("roles.{name}")).hint("remove one of them"));
    }
    problems
}

/// What hosts boot.
fn images(project: &Project, spec: &DeploymentSpec, provider: &Provider) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, role) in spec.roles.iter().filter(|(_, role)| role.count > 0) {
        let key = format!("roles.{name}");
        let Some(image) = &role.image else {
            if provider.probed && !provider.bases.contains_key(BOX) {
                let message = format!("role `{name}` names no image, and `{}` has no stock image", provider.name);
                problems.push(Problem::new(message).key(key).hint("such as `image: nginx`"));
            }
            continue;
        };
        let Some(appliance) = project.appliances.get(image) else {
            let hint = near::suggestion(image.as_str(), project.appliances.keys().map(|name| name.as_str()));
            problems.push(Problem::new(format!("unknown image `{image}`")).key(format!("{key}.image")).hint(hint));
            continue;
        };
        if !appliance.providers.contains(&provider.name) {
            let message = format!("image `{image}` cannot be built for `{}`", provider.name);
            let hint = format!("write `images/{image}/{}/image.pkr.hcl`", provider.name);
            problems.push(Problem::new(message).key(format!("{key}.image")).hint(hint));
        }
    }
    problems
}
