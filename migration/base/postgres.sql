CREATE TABLE public.audit_events (
    id uuid NOT NULL,
    tenant_id uuid,
    client_id uuid,
    actor_realm character varying NOT NULL,
    actor_id uuid,
    action character varying NOT NULL,
    target_kind character varying,
    target_id uuid,
    outcome character varying NOT NULL,
    details jsonb NOT NULL,
    ip character varying,
    user_agent character varying,
    request_id character varying,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.background_jobs (
    id uuid NOT NULL,
    name character varying NOT NULL,
    lane character varying NOT NULL,
    payload jsonb NOT NULL,
    state character varying NOT NULL,
    attempts integer NOT NULL,
    max_attempts integer NOT NULL,
    crash_count integer NOT NULL,
    run_at timestamp with time zone NOT NULL,
    pushed_at timestamp with time zone,
    started_at timestamp with time zone,
    lease_owner uuid,
    lease_until timestamp with time zone,
    last_error text,
    request_id character varying,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone
);
CREATE TABLE public.clients (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name character varying NOT NULL,
    external_ref character varying,
    status character varying NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.code_flows (
    id uuid NOT NULL,
    email character varying NOT NULL,
    email_id uuid,
    staff_user_id uuid,
    device character varying,
    code_hash character varying,
    key_fingerprint character varying,
    misses integer NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.emails (
    id uuid NOT NULL,
    kind character varying NOT NULL,
    recipient character varying NOT NULL,
    tenant_id uuid,
    client_id uuid,
    portal_user_id uuid,
    staff_user_id uuid,
    invitation_id uuid,
    code_flow_id uuid,
    status character varying NOT NULL,
    attempts integer NOT NULL,
    detail text,
    message_id character varying NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone
);
CREATE TABLE public.invitations (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    portal_user_id uuid NOT NULL,
    email character varying NOT NULL,
    name character varying NOT NULL,
    role character varying NOT NULL,
    mode character varying NOT NULL,
    status character varying NOT NULL,
    sent_count integer NOT NULL,
    last_sent_at timestamp with time zone NOT NULL,
    links_valid_from timestamp with time zone NOT NULL,
    renewals integer NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_by uuid,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.link_tokens (
    id uuid NOT NULL,
    purpose character varying NOT NULL,
    portal_user_id uuid NOT NULL,
    invitation_id uuid,
    email_id uuid,
    secret_hash character varying NOT NULL,
    key_fingerprint character varying NOT NULL,
    credential_version integer NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.memberships (
    id uuid NOT NULL,
    portal_user_id uuid NOT NULL,
    client_id uuid NOT NULL,
    display_name character varying NOT NULL,
    role character varying NOT NULL,
    status character varying NOT NULL,
    invited_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone
);
CREATE TABLE public.paused_lanes (
    lane character varying NOT NULL,
    paused_at timestamp with time zone NOT NULL
);
CREATE TABLE public.portal_users (
    id uuid NOT NULL,
    email character varying NOT NULL,
    name character varying NOT NULL,
    password_phc character varying,
    password_locked_at timestamp with time zone,
    credential_version integer NOT NULL,
    locale character varying,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT portal_users_email_check CHECK (((email)::text = lower((email)::text)))
);
CREATE TABLE public.rate_limits (
    key character varying NOT NULL,
    theoretical_arrival bigint NOT NULL,
    count bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.schedule_runs (
    name character varying NOT NULL,
    slot timestamp with time zone NOT NULL,
    ran_at timestamp with time zone NOT NULL
);
CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);
CREATE TABLE public.sessions (
    id uuid NOT NULL,
    portal_user_id uuid,
    staff_user_id uuid,
    client_id uuid,
    generation integer NOT NULL,
    rotated_at timestamp with time zone NOT NULL,
    nonce character varying NOT NULL,
    credential_version integer NOT NULL,
    user_agent character varying,
    ip character varying,
    auth_time timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    idle_until timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoked_reason character varying
);
CREATE TABLE public.signing_keys (
    id uuid NOT NULL,
    key_fingerprint character varying NOT NULL,
    active_from timestamp with time zone NOT NULL,
    retired_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.staff_users (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    email character varying NOT NULL,
    name character varying NOT NULL,
    role character varying NOT NULL,
    credential_version integer NOT NULL,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT staff_users_email_check CHECK (((email)::text = lower((email)::text)))
);
CREATE TABLE public.tenants (
    id uuid NOT NULL,
    slug character varying NOT NULL,
    name character varying NOT NULL,
    status character varying NOT NULL,
    branding jsonb NOT NULL,
    default_locale character varying NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.workers (
    id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.background_jobs
    ADD CONSTRAINT background_jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.code_flows
    ADD CONSTRAINT code_flows_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_message_id_key UNIQUE (message_id);
ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_secret_hash_key UNIQUE (secret_hash);
ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.paused_lanes
    ADD CONSTRAINT paused_lanes_pkey PRIMARY KEY (lane);
ALTER TABLE ONLY public.portal_users
    ADD CONSTRAINT portal_users_email_key UNIQUE (email);
ALTER TABLE ONLY public.portal_users
    ADD CONSTRAINT portal_users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rate_limits
    ADD CONSTRAINT rate_limits_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.schedule_runs
    ADD CONSTRAINT schedule_runs_pkey PRIMARY KEY (name, slot);
ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.staff_users
    ADD CONSTRAINT staff_users_email_key UNIQUE (email);
ALTER TABLE ONLY public.staff_users
    ADD CONSTRAINT staff_users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);
CREATE INDEX idx_audit_events_target_id ON public.audit_events USING btree (target_id);
CREATE INDEX idx_audit_events_tenant_id_at ON public.audit_events USING btree (tenant_id, at);
CREATE INDEX idx_background_jobs_state_run_at ON public.background_jobs USING btree (state, run_at);
CREATE UNIQUE INDEX idx_clients_tenant_id_external_ref ON public.clients USING btree (tenant_id, external_ref);
CREATE INDEX idx_code_flows_email_created_at ON public.code_flows USING btree (email, created_at);
CREATE INDEX idx_code_flows_email_id ON public.code_flows USING btree (email_id);
CREATE INDEX idx_code_flows_expires_at ON public.code_flows USING btree (expires_at);
CREATE INDEX idx_code_flows_staff_user_id ON public.code_flows USING btree (staff_user_id);
CREATE INDEX idx_emails_client_id_status ON public.emails USING btree (client_id, status);
CREATE INDEX idx_emails_invitation_id ON public.emails USING btree (invitation_id);
CREATE INDEX idx_emails_recipient_created_at ON public.emails USING btree (recipient, created_at);
CREATE INDEX idx_emails_status_created_at ON public.emails USING btree (status, created_at);
CREATE INDEX idx_emails_tenant_id_created_at ON public.emails USING btree (tenant_id, created_at);
CREATE INDEX idx_invitations_client_id_status ON public.invitations USING btree (client_id, status);
CREATE INDEX idx_invitations_portal_user_id_status ON public.invitations USING btree (portal_user_id, status);
CREATE INDEX idx_invitations_status_expires_at ON public.invitations USING btree (status, expires_at);
CREATE UNIQUE INDEX idx_link_tokens_email_id ON public.link_tokens USING btree (email_id);
CREATE INDEX idx_link_tokens_expires_at ON public.link_tokens USING btree (expires_at);
CREATE INDEX idx_link_tokens_invitation_id ON public.link_tokens USING btree (invitation_id);
CREATE INDEX idx_link_tokens_portal_user_id_purpose ON public.link_tokens USING btree (portal_user_id, purpose);
CREATE INDEX idx_memberships_client_id ON public.memberships USING btree (client_id);
CREATE UNIQUE INDEX idx_memberships_portal_user_id_client_id ON public.memberships USING btree (portal_user_id, client_id);
CREATE INDEX idx_rate_limits_expires_at ON public.rate_limits USING btree (expires_at);
CREATE INDEX idx_sessions_client_id ON public.sessions USING btree (client_id);
CREATE INDEX idx_sessions_expires_at ON public.sessions USING btree (expires_at);
CREATE INDEX idx_sessions_portal_user_id_created_at ON public.sessions USING btree (portal_user_id, created_at);
CREATE INDEX idx_sessions_staff_user_id_created_at ON public.sessions USING btree (staff_user_id, created_at);
CREATE INDEX idx_staff_users_tenant_id ON public.staff_users USING btree (tenant_id);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.code_flows
    ADD CONSTRAINT code_flows_email_id_fkey FOREIGN KEY (email_id) REFERENCES public.emails(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.code_flows
    ADD CONSTRAINT code_flows_staff_user_id_fkey FOREIGN KEY (staff_user_id) REFERENCES public.staff_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_invitation_id_fkey FOREIGN KEY (invitation_id) REFERENCES public.invitations(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_portal_user_id_fkey FOREIGN KEY (portal_user_id) REFERENCES public.portal_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_staff_user_id_fkey FOREIGN KEY (staff_user_id) REFERENCES public.staff_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.staff_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_portal_user_id_fkey FOREIGN KEY (portal_user_id) REFERENCES public.portal_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_email_id_fkey FOREIGN KEY (email_id) REFERENCES public.emails(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_invitation_id_fkey FOREIGN KEY (invitation_id) REFERENCES public.invitations(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_portal_user_id_fkey FOREIGN KEY (portal_user_id) REFERENCES public.portal_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_portal_user_id_fkey FOREIGN KEY (portal_user_id) REFERENCES public.portal_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_portal_user_id_fkey FOREIGN KEY (portal_user_id) REFERENCES public.portal_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_staff_user_id_fkey FOREIGN KEY (staff_user_id) REFERENCES public.staff_users(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.staff_users
    ADD CONSTRAINT staff_users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE RESTRICT;
