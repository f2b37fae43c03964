INSERT INTO tenants (id, slug, name, status, branding, default_locale, created_at)
VALUES ($id, 'acme', 'Acme', 'active', '{}', 'en', '2026-11-26T00:00:00Z');
INSERT INTO clients (id, tenant_id, name, status, created_at)
VALUES ($id, $id, 'One', 'active', '2026-11-26T00:00:00Z');
INSERT INTO portal_users (id, email, name, credential_version, created_at)
VALUES ($id, 'ann@x.test', 'Ann', 0, '2026-11-26T00:00:00Z');
INSERT INTO memberships (id, portal_user_id, client_id, display_name, role, status, invited_at)
VALUES ($id, $id, $id, 'Ann', 'member', 'active', '2026-11-26T00:00:00Z');
INSERT INTO staff_users (id, tenant_id, email, name, role, credential_version, created_at)
VALUES ($id, $id, 'owner@x.test', 'Owner', 'owner', 0, '2026-11-26T00:00:00Z');
INSERT INTO invitations (id, client_id, portal_user_id, email, name, role, mode, status, sent_count, last_sent_at,
    links_valid_from, renewals, expires_at, created_at)
VALUES ($id, $id, $id, 'ann@x.test', 'Ann', 'member', 'setup', 'pending', 1, '2026-11-26T00:00:00Z',
    '2026-11-26T00:00:00Z', 0, '2026-11-29T00:00:00Z', '2026-11-26T00:00:00Z');
INSERT INTO background_jobs (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at)
VALUES ($id, 'send_mail', 'bulk', '{}', 'queued', 0, 8, 0, '2026-11-26T00:00:00Z', '2026-11-26T00:00:00Z');
INSERT INTO paused_lanes (lane, paused_at) VALUES ('bulk', '2026-11-26T00:00:00Z');
INSERT INTO emails (id, kind, recipient, status, attempts, message_id, created_at)
VALUES ($id, 'reset', 'ann@x.test', 'queued', 0, '<1@x.test>', '2026-11-26T00:00:00Z');
INSERT INTO audit_events (id, actor_realm, action, outcome, details, at)
VALUES ($id, 'system', 'tenant.added', 'success', '{}', '2026-11-26T00:00:00Z');
INSERT INTO link_tokens (id, purpose, portal_user_id, secret_hash, key_fingerprint, credential_version, issued_at,
    expires_at, created_at)
VALUES ($id, 'reset', $id, 'hash', 'key', 0, '2026-11-26T00:00:00Z', '2026-11-26T00:30:00Z', '2026-11-26T00:00:00Z');
