import CGSSAPI
import Glibc

/// An acceptor credential holds the right to accept tickets for the service `HTTP` with the keys of one
/// keytab. Keys for other services of the same keytab do not count.
///
/// GSSAPI allows several threads to use one credential at the same time.
final class AcceptorCredential: @unchecked Sendable {
    // The compiler cannot know that of a pointer. It is set once, and freed only with the object.
    private let handle: gss_cred_id_t

    /// - Parameters:
    ///   - keytab: The path of the keytab.
    ///   - replayCache: The file that remembers used tickets. `nil` for the file of MIT Kerberos, one for
    ///     each user of the host.
    /// - Throws: ``GSSProblem`` if the keytab cannot be read, or has no key of the service.
    init(keytab: String, replayCache: String?) throws(GSSProblem) {
        var handle: gss_cred_id_t?
        var minor: OM_uint32 = 0
        let service = try Self.serviceName()
        defer {
            var name: gss_name_t? = service
            var minor: OM_uint32 = 0
            gss_release_name(&minor, &name)
        }
        var settings = [("keytab", "FILE:\(keytab)")]
        if let replayCache { settings.append(("rcache", "file2:\(replayCache)")) }
        let major = Self.withStore(settings) { store in
            GSSMechanism.withSet([.negotiation, .kerberos]) { mechanisms in
                gss_acquire_cred_from(&minor, service, .max, mechanisms, GSS_C_ACCEPT, store, &handle, nil, nil)
            }
        }
        guard major == 0, let acquired = handle else { throw GSSProblem(major: major, minor: minor) }
        // SPNEGO could otherwise choose NTLM or another mechanism that is installed here.
        let negotiable = GSSMechanism.withSet([.kerberos]) { gss_set_neg_mechs(&minor, acquired, $0) }
        guard negotiable == 0 else {
            let problem = GSSProblem(major: negotiable, minor: minor)
            gss_release_cred(&minor, &handle)
            throw problem
        }
        self.handle = acquired
    }

    deinit {
        var minor: OM_uint32 = 0
        var handle: gss_cred_id_t? = handle
        gss_release_cred(&minor, &handle)
    }

    /// An accepted token: its sender, and the answer that proves to the sender that it talks to the right
    /// service.
    struct Acceptance {
        /// The principal as GSSAPI shows it.
        let principal: String
        let answer: [UInt8]
    }

    /// The reason for refusing a token.
    enum Refusal: Error {
        case problem(GSSProblem)
        /// The token is fine so far, but the exchange would need more of them.
        case furtherRounds
        case otherMechanism
    }

    /// Accepts a token of SPNEGO or Kerberos.
    func accept(_ token: [UInt8]) throws(Refusal) -> Acceptance {
        var minor: OM_uint32 = 0
        var context: gss_ctx_id_t?
        var sender: gss_name_t?
        var mechanism: gss_OID?
        defer {
            var minor: OM_uint32 = 0
            gss_delete_sec_context(&minor, &context, nil)
            gss_release_name(&minor, &sender)
        }
        let answer = GSSBuffer()
        var token = token
        let major = token.withUnsafeMutableBytes { bytes in
            var buffer = gss_buffer_desc_struct(length: bytes.count, value: bytes.baseAddress)
            return gss_accept_sec_context(
                &minor, &context, handle, &buffer, nil, &sender, &mechanism, &answer.buffer, nil, nil, nil)
        }
        guard major & 0xFFFF_0000 == 0 else { throw .problem(GSSProblem(major: major, minor: minor)) }
        guard major == 0 else { throw .furtherRounds }
        guard GSSMechanism(mechanism) == .kerberos else { throw .otherMechanism }
        let principal = GSSBuffer()
        let shown = gss_display_name(&minor, sender, &principal.buffer, nil)
        guard shown == 0 else { throw .problem(GSSProblem(major: shown, minor: minor)) }
        return Acceptance(principal: principal.text, answer: answer.bytes)
    }

    /// Returns the name of the service on any host name. The caller releases it.
    private static func serviceName() throws(GSSProblem) -> gss_name_t {
        var minor: OM_uint32 = 0
        var name: gss_name_t?
        var text = Array("HTTP".utf8)
        let major = text.withUnsafeMutableBytes { bytes in
            var buffer = gss_buffer_desc_struct(length: bytes.count, value: bytes.baseAddress)
            return GSSMechanism.serviceName.with { gss_import_name(&minor, &buffer, $0, &name) }
        }
        guard major == 0, let name else { throw GSSProblem(major: major, minor: minor) }
        return name
    }

    private static func withStore<Value>(_ settings: [(String, String)], _ body: (gss_const_key_value_set_t) -> Value) -> Value {
        let strings = settings.map { (strdup($0.0), strdup($0.1)) }
        defer {
            for (key, value) in strings {
                free(key)
                free(value)
            }
        }
        var elements = strings.map { gss_key_value_element_struct(key: $0.0, value: $0.1) }
        return elements.withUnsafeMutableBufferPointer { elements in
            var set = gss_key_value_set_struct(count: OM_uint32(elements.count), elements: elements.baseAddress)
            return withUnsafePointer(to: &set, body)
        }
    }
}
