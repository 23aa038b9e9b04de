//! `otto add`: the files of a new site, provider or appliance, to be filled in. Nothing that is there is overwritten.

use camino::{Utf8Path, Utf8PathBuf};

use super::failure::{Failure, Kind, Result};
use super::world::World;
use crate::model::Name;
use crate::project::embedded;

/// What is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `sites/<name>/`.
    Site,
    /// `clowd/provision/<name>/`.
    Provider,
    /// `images/<name>/`.
    Appliance,
}

/// Writes the files; returns them, relative to the project.
///
/// # Errors
/// Wrong project files, a name that is none, or a folder that is there.
pub fn add(world: &World, what: What, name: &str, domain: Option<&str>) -> Result<Vec<Utf8PathBuf>> {
    let opened = world.open()?;
    let name = Name::new(name).map_err(|error| Failure::new(Kind::Usage, error.to_string()))?;
    let (folder, files) = match what {
        What::Site => (format!("sites/{name}"), site(&name, domain)),
        What::Provider => (format!("clowd/provision/{name}"), provider(&name)),
        What::Appliance => (format!("images/{name}"), appliance(&name)?),
    };
    let project = Utf8Path::new(&opened.project.folder);
    if project.join(&folder).symlink_metadata().is_ok() {
        let failure = Failure::new(Kind::Project, format!("`{folder}` is there already: nothing was written"));
        return Err(failure.hint("choose another name"));
    }
    let failed = |path: &Utf8Path, error: std::io::Error| Failure::new(Kind::Project, format!("`{path}`: {error}"));
    let mut written = Vec::new();
    for (file, text) in files {
        let path = project.join(&folder).join(&file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
        }
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
        written.push(Utf8Path::new(&folder).join(file));
    }
    Ok(written)
}

type Files = Vec<(String, String)>;

fn site(name: &Name, domain: Option<&str>) -> Files {
    let domain = domain.map_or_else(|| format!("{name}.localhost"), str::to_owned);
    let yaml = format!(
        "# yaml-language-server: $schema=../../docs/schema/site-yaml.json\n\
         domains: [{domain}]\n\n\
         roles:\n  \
         www: {{image: nginx, count: 1, size: small}}\n  \
         # lb: {{image: haproxy, count: 1, size: small}}   # several www need one\n\n\
         content: html                     # a folder beside this file; every www serves it\n\n\
         checks:\n  - {{name: home, http: /, status: 200, body: \"{name}\"}}\n"
    );
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{name}</title></head>\n\
         <body><h1>{name}</h1></body>\n</html>\n"
    );
    vec![("site.yaml".to_owned(), yaml), ("html/index.html".to_owned(), page)]
}

fn provider(name: &Name) -> Files {
    let yaml = format!(
        "# How hosts of `{name}` come into being: the Terraform root in this folder. See docs/project-files.md.\n\
         kind: terraform\n\
         sizes: {{small: small}}              # what `size:` in a site becomes\n\
         region: \"\"\n\
         # credentials: [MY_TOKEN]          # environment variables that have to be set\n\
         # base: debian-12                  # what Packer starts from\n\
         image: {{from: id}}                  # what hosts boot of what Packer made\n"
    );
    let main = "# One machine per entry of var.hosts, its image and size as they are there. Tags say whose it is: a machine that no state knows is\n\
        # found by them.\n\
        terraform {\n  required_version = \">= 1.4\"\n}\n\n\
        resource \"terraform_data\" \"host\" { # put your provider's machine here\n  \
        for_each = { for host in var.hosts : host.name => host }\n  \
        input    = { name = each.key, image = each.value.image, size = each.value.size, tags = var.tags }\n}\n";
    let variables = "# Passed by otto; only what is declared here.\n\n\
        variable \"hosts\" {\n  type = list(object({ name = string, role = string, image = string, size = string }))\n}\n\n\
        variable \"region\" {\n  type    = string\n  default = \"\"\n}\n\n\
        variable \"tags\" {\n  type    = map(string)\n  default = {}\n}\n\n\
        variable \"vars\" {\n  type    = any\n  default = {}\n}\n";
    let outputs = "# What otto and Ansible have to know: every host of var.hosts with the address by which SSH reaches it.\n\
        output \"hosts\" {\n  value = [for host in var.hosts : {\n    name    = host.name\n    role    = host.role\n    \
        address = \"\" # terraform_data.host[host.name]...\n    user    = \"root\"\n  }]\n}\n\n\
        # Where visitors go; the address of the load balancer, else of the only web server.\n\
        output \"endpoint\" {\n  value = null\n}\n";
    [("provider.yaml", yaml.as_str()), ("main.tf", main), ("variables.tf", variables), ("outputs.tf", outputs)]
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .into()
}

/// The reference's own nginx, under another name.
fn appliance(name: &Name) -> Result<Files> {
    const MODEL: &str = "images/nginx/local/image.pkr.hcl";
    let files = embedded::files();
    let model = files.iter().find(|file| file.path == MODEL);
    let model = model.ok_or_else(|| Failure::new(Kind::Unexpected, "this otto holds no reference project"))?;
    let text = String::from_utf8_lossy(model.bytes);
    let text = text.replacen("# nginx: a web server.", &format!("# {name}: what it is for."), 1);
    let text = text.replace("APPLIANCE=nginx", &format!("APPLIANCE={name}"));
    let text = text.replace("PROGRAMS=nginx", &format!("PROGRAMS={name}"));
    Ok(vec![
        ("local/image.pkr.hcl".to_owned(), text),
        // The Debian package that brings the program.
        ("local/packages".to_owned(), format!("{name}\n")),
    ])
}
