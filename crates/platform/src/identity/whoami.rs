//! The wire shape of `whoami-v2`, as far as it matters here.

use serde::Deserialize;

use super::capability::{Capabilities, Grant};
use super::{AccountKind, Identity, Plan, oauth};
use crate::{PlatformError, Token};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whoami {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    name: String,
    is_pro: Option<bool>,
    #[serde(default)]
    orgs: Vec<Org>,
    auth: Option<Auth>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Org {
    name: Option<String>,
    role_in_org: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Auth {
    access_token: Option<AccessToken>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessToken {
    role: Option<String>,
    fine_grained: Option<FineGrained>,
}

#[derive(Debug, Default, Deserialize)]
struct FineGrained {
    #[serde(default)]
    global: Vec<String>,
    #[serde(default)]
    scoped: Vec<Scoped>,
}

#[derive(Debug, Deserialize)]
struct Scoped {
    entity: Option<Entity>,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Entity {
    #[serde(rename = "_id")]
    id: Option<String>,
    name: Option<String>,
}

impl Whoami {
    pub(super) fn identity(self, token: &Token) -> Result<Identity, PlatformError> {
        if self.name.is_empty() {
            return Err(PlatformError::garbage("an account without a name"));
        }
        let kind = match self.kind.as_deref() {
            None | Some("user") => AccountKind::User,
            Some("org") => AccountKind::Organization,
            Some("app") => AccountKind::App,
            Some(_) => return Err(PlatformError::garbage("an account of an unknown kind")),
        };
        let may = self.capabilities(token);
        let member = |org: Org| {
            org.name
                .filter(|_| org.role_in_org.as_deref() != Some("no_access"))
        };
        Ok(Identity {
            name: self.name,
            kind,
            plan: if self.is_pro == Some(true) {
                Plan::Pro
            } else {
                Plan::Free
            },
            orgs: self.orgs.into_iter().filter_map(member).collect(),
            may_infer: may.infer,
            may_write_repos: may.write_repos,
            may_run_jobs: may.run_jobs,
        })
    }

    fn capabilities(&self, token: &Token) -> Capabilities {
        let Some(access) = self
            .auth
            .as_ref()
            .and_then(|auth| auth.access_token.as_ref())
        else {
            // OAuth tokens have no access-token block; their scopes are in the token.
            return oauth::scopes(token)
                .map_or(Capabilities::ALL, |scopes| Capabilities::of_scopes(&scopes));
        };
        match access.role.as_deref() {
            Some("write" | "god") => Capabilities::ALL,
            Some("fineGrained") => Capabilities::of_grants(self.grants(access)),
            _ => Capabilities::READ,
        }
    }

    fn grants<'a>(&'a self, access: &'a AccessToken) -> impl Iterator<Item = Grant<'a>> {
        let fine = access.fine_grained.as_ref();
        let global = fine
            .into_iter()
            .flat_map(|fine| &fine.global)
            .map(|name| Grant {
                name,
                own_account: true,
            });
        let scoped = fine
            .into_iter()
            .flat_map(|fine| &fine.scoped)
            .flat_map(|scope| {
                let own_account = scope
                    .entity
                    .as_ref()
                    .is_some_and(|entity| self.is_me(entity));
                scope
                    .permissions
                    .iter()
                    .map(move |name| Grant { name, own_account })
            });
        global.chain(scoped)
    }

    fn is_me(&self, entity: &Entity) -> bool {
        entity.id.is_some() && entity.id == self.id || entity.name.as_ref() == Some(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::Whoami;
    use crate::{AccountKind, Identity, Plan, Token};

    fn identity(value: Value) -> Identity {
        let token = Token::new("hf_alice".into());
        from_value::<Whoami>(value)
            .unwrap()
            .identity(&token)
            .unwrap()
    }

    fn may(auth: Value) -> [bool; 3] {
        let who = identity(json!({"type":"user","id":"u1","name":"alice","auth":auth}));
        [who.may_infer, who.may_write_repos, who.may_run_jobs]
    }

    fn fine(global: &[&str], entity: Value, permissions: &[&str]) -> [bool; 3] {
        may(
            json!({"type":"access_token","accessToken":{"role":"fineGrained","fineGrained":
            {"global":global,"scoped":[{"entity":entity,"permissions":permissions}]}}}),
        )
    }

    #[test]
    fn an_account_is_read() {
        let who = identity(json!({"type":"user","name":"alice","isPro":true,
            "orgs":[{"name":"acme","roleInOrg":"write"},{"name":"shut","roleInOrg":"no_access"},{}],
            "auth":{"type":"access_token","accessToken":{"role":"write"}}}));
        assert_eq!(
            (who.name.as_str(), who.kind, who.plan),
            ("alice", AccountKind::User, Plan::Pro)
        );
        assert_eq!(who.orgs, ["acme"]);
        assert!(who.may_infer && who.may_write_repos && who.may_run_jobs);
        assert_eq!(
            identity(json!({"type":"org","name":"acme"})).kind,
            AccountKind::Organization
        );
        assert_eq!(
            identity(json!({"type":"app","name":"bot"})).kind,
            AccountKind::App
        );
    }

    #[test]
    fn classic_roles_give_what_they_say() {
        assert_eq!(
            may(json!({"accessToken":{"role":"read"}})),
            [true, false, false]
        );
        assert_eq!(may(json!({"accessToken":{"role":"write"}})), [true; 3]);
        assert_eq!(may(json!({"accessToken":{"role":"god"}})), [true; 3]);
        assert_eq!(may(json!({"accessToken":{}})), [true, false, false]);
    }

    #[test]
    fn fine_grained_tokens_need_each_permission_by_name() {
        let me = json!({"_id":"u1","type":"user","name":"alice"});
        let org = json!({"_id":"o1","type":"org","name":"acme"});
        let all = ["inference.serverless.write", "repo.write", "job.write"];
        assert_eq!(fine(&[], me.clone(), &all), [true; 3]);
        assert_eq!(fine(&[], me.clone(), &[]), [false; 3]);
        assert_eq!(
            fine(&["inference.serverless.write"], me.clone(), &["repo.write"]),
            [true, true, false]
        );
        // An organization's inference permission does not spend the user's own credit.
        assert_eq!(fine(&[], org, &all), [false, true, true]);
        assert_eq!(fine(&[], Value::Null, &["job.write"]), [false, false, true]);
        assert_eq!(
            may(json!({"accessToken":{"role":"fineGrained"}})),
            [false; 3]
        );
    }

    #[test]
    fn what_the_hub_does_not_say_is_left_to_the_hub() {
        assert_eq!(may(json!({"type":"app_token_as_user"})), [true; 3]);
        assert_eq!(may(Value::Null), [true; 3]);
    }

    #[test]
    fn wrong_shapes_are_errors() {
        let token = Token::new("t".into());
        assert!(from_value::<Whoami>(json!({"type":"user"})).is_err());
        assert!(
            from_value::<Whoami>(json!({"type":"robot","name":"x"}))
                .unwrap()
                .identity(&token)
                .is_err()
        );
        assert!(
            from_value::<Whoami>(json!({"name":""}))
                .unwrap()
                .identity(&token)
                .is_err()
        );
    }
}
