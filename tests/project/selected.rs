//! Selections against a project with two sites and two providers.

use otto::model::DeploymentId;
use otto::project::select::select_existing;
use otto::project::{Selection, Vars, select};

use super::folder::Folder;

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Names, `--site`, `--provider`, `--env`, `CLOWD_PROVIDERS`.
fn chosen(
    names: &[&str],
    sites: &[&str],
    providers: &[&str],
    env: Option<&str>,
    default: &str,
) -> Result<String, String> {
    let folder = Folder::new();
    folder
        .write("sites/blog/site.yaml", "domains: [blog.localhost]\nproviders: [local]\nroles: {www: {image: nginx}}\n");
    let selection = Selection {
        deployments: texts(names),
        sites: texts(sites),
        providers: texts(providers),
        environment: env.map(str::to_owned),
        ..Selection::default()
    };
    let selection = selection.with_defaults(&Vars::from_pairs([("CLOWD_PROVIDERS", default)]));
    let found = select(&folder.good().project, &selection).map_err(|problem| problem.to_string())?;
    Ok(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

#[test]
fn names_flags_and_defaults_select() {
    for (names, sites, providers, env, default, expected) in [
        (&[][..], &[][..], &[][..], None, "", "dev/local/blog dev/local/hello"),
        (&[], &["hello"], &[], None, "", "dev/local/hello"),
        (&["hello"], &[], &[], Some("prod"), "", "prod/local/hello"),
        (&[], &[], &["do"], None, "", "dev/do/hello"),
        (&[], &[], &["local, do"], None, "", "dev/do/hello dev/local/blog dev/local/hello"),
        (&[], &["hello,blog"], &[], None, "", "dev/local/blog dev/local/hello"),
        (&[], &[], &[], None, "do local", "dev/do/hello dev/local/blog dev/local/hello"),
        (&["blog"], &[], &[], None, "do, local", "dev/local/blog"),
        (&["prod/do/hello"], &[], &[], None, "", "prod/do/hello"),
        (&["prod/do/hello", "blog"], &[], &[], None, "", "dev/local/blog prod/do/hello"),
        (&["prod/do/hello", "prod/do/hello"], &["hello"], &["do"], Some("prod"), "", "prod/do/hello"),
    ] {
        assert_eq!(chosen(names, sites, providers, env, default).as_deref(), Ok(expected));
    }
}

#[test]
fn what_is_unknown_or_contradicts_is_named() {
    for (names, sites, providers, env, default, expected) in [
        (&["helo"][..], &[][..], &[][..], None, "", "unknown site `helo`: did you mean `hello`?"),
        (&[], &["helo"], &[], None, "", "unknown site `helo`: did you mean `hello`?"),
        (&[], &[], &["locl"], None, "", "unknown provider `locl`: did you mean `local`?"),
        (&[], &[], &[], None, "aws", "unknown provider `aws`: known: do, local"),
        (&[], &[], &[], Some("pord"), "", "unknown environment `pord`: did you mean `prod`?"),
        (&["pord/local/hello"], &[], &[], None, "", "unknown environment `pord`: did you mean `prod`?"),
        (
            &["dev/local/hello"],
            &[],
            &[],
            Some("prod"),
            "",
            "`dev/local/hello` and `--env prod` contradict each other: leave one of them out",
        ),
        (
            &["dev/local/hello"],
            &[],
            &["do"],
            None,
            "",
            "`dev/local/hello` and `--provider` contradict each other: leave one of them out",
        ),
        (
            &["local/hello"],
            &[],
            &[],
            None,
            "",
            "`local/hello` is no deployment: environment/provider/site, such as `dev/local/hello`",
        ),
        (
            &["dev/do/blog"],
            &[],
            &[],
            None,
            "",
            "site `blog` is not for provider `do` in `dev`: see `providers` in its `site.yaml` and in `otto.yaml`",
        ),
        (
            &["blog"],
            &[],
            &["do"],
            None,
            "",
            "site `blog` is not for provider `do` in `dev`: see `providers` in its `site.yaml` and in `otto.yaml`",
        ),
        (&["blog"], &["hello"], &[], None, "", "the names and `--site` have no site in common: leave one of them out"),
        (
            &["Blog"],
            &[],
            &[],
            None,
            "",
            "`Blog` is no name: a small letter, then small letters, digits and hyphens, 30 characters at most, no hyphen at the end",
        ),
    ] {
        assert_eq!(chosen(names, sites, providers, env, default), Err(expected.to_owned()));
    }
}

#[test]
fn what_exists_can_be_selected_without_its_files() {
    let project = Folder::new().good().project;
    let existing: Vec<DeploymentId> = ["dev/local/gone", "dev/local/hello", "old/aws/gone", "dev/aws/hello"]
        .map(|name| name.parse().unwrap())
        .to_vec();
    let pick = |names: &[&str], env: Option<&str>, providers: &[&str]| {
        let selection = Selection {
            deployments: texts(names),
            environment: env.map(str::to_owned),
            providers: texts(providers),
            ..Selection::default()
        };
        select_existing(&project, &existing, &selection)
            .map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            .map_err(|problem| problem.to_string())
    };
    assert_eq!(pick(&[], None, &[]).as_deref(), Ok("dev/local/gone dev/local/hello"));
    assert_eq!(pick(&["gone"], None, &[]).as_deref(), Ok("dev/local/gone"));
    assert_eq!(pick(&["old/aws/gone"], None, &[]).as_deref(), Ok("old/aws/gone"));
    assert_eq!(pick(&[], Some("old"), &["aws"]).as_deref(), Ok("old/aws/gone"));
    assert_eq!(
        pick(&["old/aws/gon"], None, &[]),
        Err("unknown deployment `old/aws/gon`: did you mean `old/aws/gone`?".into())
    );
    assert_eq!(pick(&["gine"], None, &[]), Err("unknown site `gine`: did you mean `gone`?".into()));
}
