import Kerberos

extension HostCheck {
    /// Checks the files that a frontend needs for logins. A worker does not need them.
    func logins() -> [HostFinding] {
        guard let kerberos = configuration.kerberos else { return [] }
        do throws(Keytab.Problem) { try Keytab(kerberos.keytab).check() } catch {
            return [
                HostFinding(
                    severity: .warning, problem: "auth.kerberos.keytab: \(error).",
                    remedy: "Export the key of HTTP/NAME, where NAME is the host name in the service's address, to a keytab that the "
                        + "service's user can read. A frontend does not start without it.")
            ]
        }
        return []
    }
}
