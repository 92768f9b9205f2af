import CLDAP
import Glibc
import Identity
import SystemPackage

/// An LDAP connection serves the searches for one person. Its calls block until a deadline at most.
final class LDAPConnection {
    private let handle: OpaquePointer
    private let deadline: SocketDeadline
    private let reports: SocketReports

    init(_ settings: DirectorySettings) throws(LDAPProblem) {
        deadline = SocketDeadline(after: settings.patience * 2)
        reports = SocketReports(to: deadline)
        var handle: OpaquePointer?
        let status = ldap_initialize(&handle, settings.address.description)
        guard status == LDAP_SUCCESS, let handle else { throw LDAPProblem("opening the connection", status) }
        self.handle = handle
        // If one of these throws, the object is complete, and `deinit` frees the handle.
        try prepare(settings)
        if settings.startTLS { try check("StartTLS", ldap_start_tls_s(handle, nil, nil)) }
        if let login = settings.login { try bind(as: login.name, password: login.password.text) }
    }

    deinit {
        deadline.end()
        ldap_unbind_ext_s(handle, nil, nil)
    }

    /// Returns the names of the groups to which a person belongs.
    func groups(of name: String, _ search: GroupSearch, patience: Duration) throws(LDAPProblem) -> Set<String> {
        var answer: OpaquePointer?
        var patience = timeval(patience)
        let status = "cn".withCString { attribute in
            var attributes = [UnsafeMutablePointer(mutating: attribute), nil]
            return ldap_search_ext_s(
                handle, search.base, LDAP_SCOPE_ONELEVEL, search.filter(for: name), &attributes, 0, nil, nil, &patience, LDAP_NO_LIMIT,
                &answer)
        }
        defer { ldap_msgfree(answer) }
        try check("searching below \(search.base)", status)
        var names: Set<String> = []
        var entry = ldap_first_entry(handle, answer)
        while let present = entry {
            if let values = ldap_get_values_len(handle, present, "cn") {
                defer { ldap_value_free_len(values) }
                var next = values
                while let value = next.pointee {
                    let bytes = UnsafeRawBufferPointer(start: value.pointee.bv_val, count: Int(value.pointee.bv_len))
                    if let name = String(validating: bytes, as: UTF8.self), !name.isEmpty { names.insert(name) }
                    next += 1
                }
            }
            entry = ldap_next_entry(handle, present)
        }
        return names
    }

    /// Returns whether a text is a filter of LDAP.
    static func isFilter(_ text: String) -> Bool {
        var handle: OpaquePointer?
        // A search writes its filter before it connects, and there is no server at this address.
        guard ldap_initialize(&handle, "ldapi://%2Fdev%2Fnull%2Fabsent") == LDAP_SUCCESS, let handle else { return false }
        defer { ldap_unbind_ext_s(handle, nil, nil) }
        var message: CInt = 0
        return ldap_search_ext(handle, "", LDAP_SCOPE_BASE, text, nil, 0, nil, nil, nil, LDAP_NO_LIMIT, &message) != LDAP_FILTER_ERROR
    }

    private func prepare(_ settings: DirectorySettings) throws(LDAPProblem) {
        var version: CInt = LDAP_VERSION3
        try set(LDAP_OPT_PROTOCOL_VERSION, &version)
        // A referral would send the login to a server that the operator has not named.
        try check("LDAP_OPT_REFERRALS", ldap_set_option(handle, LDAP_OPT_REFERRALS, nil))
        // Without it, a signal during a call counts as a server that is away. Any value but NULL means yes.
        var restart: CInt = 1
        try set(LDAP_OPT_RESTART, &restart)
        try check("LDAP_OPT_CONNECT_CB", reports.add(to: handle))
        var patience = timeval(settings.patience)
        try set(LDAP_OPT_NETWORK_TIMEOUT, &patience)
        try set(LDAP_OPT_TIMEOUT, &patience)
        // Files and variables for libldap's own programs could switch the check off, so each setting is explicit.
        var demand: CInt = LDAP_OPT_X_TLS_DEMAND
        try set(LDAP_OPT_X_TLS_REQUIRE_CERT, &demand)
        if let authorities = settings.authorities {
            let status = authorities.string.withCString { ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTFILE, $0) }
            try check("LDAP_OPT_X_TLS_CACERTFILE", status)
        }
        var isServer: CInt = 0
        try set(LDAP_OPT_X_TLS_NEWCTX, &isServer)
    }

    private func set<Value>(_ option: CInt, _ value: inout Value) throws(LDAPProblem) {
        let status = withUnsafePointer(to: &value) { ldap_set_option(handle, option, $0) }
        try check("option \(option)", status)
    }

    private func bind(as name: String, password: String) throws(LDAPProblem) {
        var password = Array(password.utf8CString)
        let status = password.withUnsafeMutableBufferPointer { password in
            var credentials = berval(bv_len: ber_len_t(password.count - 1), bv_val: password.baseAddress)
            return ldap_sasl_bind_s(handle, name, nil, &credentials, nil, nil, nil)
        }
        try check("login as \(name)", status)
    }

    private func check(_ step: String, _ status: CInt) throws(LDAPProblem) {
        guard status != LDAP_SUCCESS else { return }
        // libldap sees a connection that ends, and would blame the certificate.
        if deadline.isOver { throw LDAPProblem(step, LDAP_TIMEOUT) }
        var text: UnsafeMutablePointer<CChar>?
        ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text)
        defer { ldap_memfree(text) }
        throw LDAPProblem(step, status, explanation: text.map { String(cString: $0) } ?? "")
    }
}

extension timeval {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
