-- Lets a role of the application log in to ask its smoke queries; only this server, for this drill, knows the password.
ALTER ROLE {role} LOGIN PASSWORD {password}
