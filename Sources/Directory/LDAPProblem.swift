import CLDAP
import ForeignText

/// An LDAP problem is the result of a failed call of libldap.
struct LDAPProblem: Error, Hashable, CustomStringConvertible {
    let code: CInt
    /// For the operator's log. It names the step, the server's result and its explanation.
    let description: String

    init(_ step: String, _ code: CInt, explanation: String = "") {
        self.code = code
        let result = String(cString: ldap_err2string(code))
        description = "\(step): \(result)\(explanation.isEmpty ? "" : " (\(explanation))")".printable(most: 500)
    }

    /// Whether the server is away, or refuses this service as a whole. The next search would fail in the
    /// same way.
    var isOutage: Bool {
        [
            LDAP_SERVER_DOWN, LDAP_TIMEOUT, LDAP_CONNECT_ERROR, LDAP_BUSY, LDAP_UNAVAILABLE, LDAP_INVALID_CREDENTIALS,
            LDAP_INAPPROPRIATE_AUTH, LDAP_CONFIDENTIALITY_REQUIRED, LDAP_STRONG_AUTH_REQUIRED,
        ].contains(code)
    }
}
