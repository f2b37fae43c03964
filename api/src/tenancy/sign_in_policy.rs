//! `/api/v1/sign-in-policy`: how the portal users of the tenant may sign in, and who must have a second factor. Called
//! by staff users.

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{
    platform::{
        actor::access::{PolicyEdit, PolicyRead},
        app::App,
        sign_in_policy::{self, MfaScope},
    },
    tenancy::sign_in_policy::{self as use_cases, PolicyChange},
};

use crate::http::{auth::Authorized, body::Body, error::ApiResult, tags::Tag};

/// The operations of the tag `sign-in policy`.
pub(crate) struct SignInPolicies;

/// How the users of the tenant sign in.
#[derive(Object)]
struct SignInPolicy {
    /// The methods by which portal users may sign in.
    methods: SignInMethods,
    /// Who must have a second factor.
    mfa: MfaPolicy,
    /// For how many days a portal user can trust a browser, in which sign-ins do not ask for the second factor; 0 if
    /// they cannot.
    trusted_device_days: u16,
}

/// The methods by which portal users may sign in. At least one is allowed.
#[derive(Object)]
struct SignInMethods {
    /// With a password.
    password: bool,
    /// With a mailed code.
    code: bool,
    /// With a passkey.
    passkey: bool,
    /// With an account at an identity provider.
    sso: bool,
}

/// Who must have a second factor.
#[derive(Object)]
struct MfaPolicy {
    /// The portal users who must.
    portal: MfaScopeName,
    /// The staff users who must.
    staff: MfaScopeName,
    /// How many days a user has to set up a second factor, after the requirement was set or the user was added.
    grace_days: u16,
}

/// The users of one realm who must have a second factor.
#[derive(Enum)]
#[oai(rename = "MfaScope", rename_all = "snake_case")]
enum MfaScopeName {
    /// No user.
    Off,
    /// The administrators: client admins in the portal, owners and admins among the staff users.
    Admins,
    /// Every user.
    All,
}

/// The fields of the policy to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateSignInPolicy {
    /// The methods to change.
    methods: Option<UpdateSignInMethods>,
    /// The requirements to change.
    mfa: Option<UpdateMfaPolicy>,
    /// The new number of days for which a portal user can trust a browser, 0 to 365.
    #[oai(validator(minimum(value = "0"), maximum(value = "365")))]
    trusted_device_days: Option<u16>,
}

/// The methods to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateSignInMethods {
    /// Whether portal users may sign in with a password.
    password: Option<bool>,
    /// Whether portal users may sign in with a mailed code.
    code: Option<bool>,
    /// Whether portal users may sign in with a passkey.
    passkey: Option<bool>,
    /// Whether portal users may sign in with an account at an identity provider.
    sso: Option<bool>,
}

/// The requirements to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateMfaPolicy {
    /// The portal users who must have a second factor.
    portal: Option<MfaScopeName>,
    /// The staff users who must have a second factor.
    staff: Option<MfaScopeName>,
    /// How many days a user has to set up a second factor, 0 to 90.
    #[oai(validator(minimum(value = "0"), maximum(value = "90")))]
    grace_days: Option<u16>,
}

impl From<MfaScope> for MfaScopeName {
    fn from(scope: MfaScope) -> Self {
        match scope {
            MfaScope::Off => Self::Off,
            MfaScope::Admins => Self::Admins,
            MfaScope::All => Self::All,
        }
    }
}

impl From<MfaScopeName> for MfaScope {
    fn from(scope: MfaScopeName) -> Self {
        match scope {
            MfaScopeName::Off => Self::Off,
            MfaScopeName::Admins => Self::Admins,
            MfaScopeName::All => Self::All,
        }
    }
}

impl From<sign_in_policy::SignInPolicy> for SignInPolicy {
    fn from(policy: sign_in_policy::SignInPolicy) -> Self {
        let sign_in_policy::Methods { password, code, passkey, sso } = policy.methods;
        Self {
            methods: SignInMethods { password, code, passkey, sso },
            mfa: MfaPolicy {
                portal: policy.mfa.portal.into(),
                staff: policy.mfa.staff.into(),
                grace_days: policy.mfa.grace_days,
            },
            trusted_device_days: policy.trusted_device_days,
        }
    }
}

impl From<UpdateSignInPolicy> for PolicyChange {
    fn from(body: UpdateSignInPolicy) -> Self {
        let (methods, mfa) = (body.methods, body.mfa);
        let mut change = Self { trusted_device_days: body.trusted_device_days, ..Self::default() };
        if let Some(methods) = methods {
            (change.password, change.code) = (methods.password, methods.code);
            (change.passkey, change.sso) = (methods.passkey, methods.sso);
        }
        if let Some(mfa) = mfa {
            change.mfa_portal = mfa.portal.map(Into::into);
            change.mfa_staff = mfa.staff.map(Into::into);
            change.grace_days = mfa.grace_days;
        }
        change
    }
}

#[OpenApi(prefix_path = "/api/v1/sign-in-policy", tag = "Tag::SignInPolicy")]
impl SignInPolicies {
    /// Get the sign-in policy
    ///
    /// Returns the methods by which the portal users of the tenant may sign in, and who must have a second factor.
    #[oai(path = "/", method = "get", operation_id = "get_sign_in_policy")]
    async fn get(&self, caller: Authorized<PolicyRead>) -> ApiResult<Json<SignInPolicy>, 0> {
        Ok(Json(use_cases::get(&caller)?.into()))
    }

    /// Change the sign-in policy
    ///
    /// Sessions of portal users that were opened by a method which is not allowed any more are revoked. A requirement
    /// that includes more users takes effect after the grace period: then such a user must set up a second factor at
    /// the next sign-in, and every other operation in a session is 403 `mfa_required`.
    #[oai(path = "/", method = "patch", operation_id = "update_sign_in_policy")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<PolicyEdit>,
        Body(body): Body<UpdateSignInPolicy>,
    ) -> ApiResult<Json<SignInPolicy>, 0> {
        Ok(Json(use_cases::change(app, &caller, body.into()).await?.into()))
    }
}
