import Foundation
import Identity
import InMemoryLogging
import Kerberos
import Logging
import LoginTestKit
import NIOPosix
import SystemPackage
import Testing

/// The provider against a real KDC and a real client.
struct KerberosProviderTests {
    /// A provider with the keytab of the KDC, and its log.
    private struct Service {
        let provider: KerberosProvider
        let log = InMemoryLogHandler()

        init(_ kdc: TestKDC, keytab: String = "http.keytab", realms: KerberosRealms = .init(allowed: [TestKDC.realm])) {
            var logger = Logger(label: "test")
            logger.handler = log
            provider = KerberosProvider(
                keytab: Keytab(kdc.directory.appending(keytab), replayCache: kdc.directory.appending("used")), realms: realms,
                threadPool: .singleton, logger: logger)
        }

        func identity(_ token: [UInt8]) async throws -> Identity? {
            try await provider.identity(Credentials(authorization: .negotiate(token)))
        }

        /// The failure of a login, or `nil` if the login succeeds.
        func failure(_ token: [UInt8]) async throws -> CredentialFailure? {
            do {
                _ = try await identity(token)
                return nil
            } catch let failure as CredentialFailure {
                return failure
            }
        }

        var reasons: [String] { log.entries.map { "\($0.metadata["reason"] ?? "")" } }
    }

    private static let foreign = CredentialFailure.wrong(
        "The token after Negotiate is not a Kerberos ticket for this service. If your ticket is older than the service's key, run kdestroy and kinit."
    )

    @Test func `a ticket shows its principal, and the client accepts the answer`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let joe = try await kdc.keytab("joe", of: "joe")
            let isAccepted = try await kdc.login(with: joe) { token in
                let identity = try #require(try await service.identity(token))
                #expect(identity.account.text == "joe@EXAMPLE.TEST")
                #expect(identity.provider == "kerberos")
                #expect(identity.scopes == nil)
                let header = try #require(identity.replyHeaders["WWW-Authenticate"])
                #expect(header.hasPrefix("Negotiate "))
                return Array(try #require(Data(base64Encoded: String(header.dropFirst("Negotiate ".count)))))
            }
            #expect(isAccepted)
            #expect(service.log.entries.isEmpty)
        }
    }

    @Test func `a client refuses the answer of another service`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let joe = try await kdc.keytab("joe", of: "joe")
            let other = try await kdc.token(for: joe)
            let answer = try #require(try await service.identity(other)?.replyHeaders["WWW-Authenticate"]).dropFirst("Negotiate ".count)
            let isAccepted = try await kdc.login(with: joe) { _ in Array(try #require(Data(base64Encoded: String(answer)))) }
            #expect(!isAccepted)
        }
    }

    @Test func `the principal of a host has its name, and a token without SPNEGO is accepted`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc, realms: KerberosRealms(allowed: [TestKDC.realm], stripped: TestKDC.realm))
            let host = try await kdc.keytab("osbs", of: "osbs/build1.example.test")
            #expect(try await service.identity(kdc.token(for: host))?.account.text == "osbs/build1.example.test")
            #expect(try await service.identity(kdc.token(for: host, mechanism: "GS2-KRB5"))?.account.text == "osbs/build1.example.test")
        }
    }

    @Test func `credentials of another kind are left to other providers`() async throws {
        try await TestKDC.with { kdc in
            for credentials in [Credentials(authorization: .bearer(Secret("token"))), Credentials()] {
                let identity = try await Service(kdc).provider.identity(credentials)
                #expect(identity == nil)
            }
        }
    }

    @Test func `a token is accepted once`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let token = try await kdc.token(for: try await kdc.keytab("joe", of: "joe"))
            #expect(try await service.failure(token) == nil)
            let replay = CredentialFailure.wrong("This Kerberos token was used before. Make a new one for each request.")
            #expect(try await service.failure(token) == replay)
            // Another process of the service on the same host knows the token too.
            #expect(try await Service(kdc).failure(token) == replay)
        }
    }

    @Test func `a ticket for another service is refused, even if the keytab has the key of that service`() async throws {
        try await TestKDC.with { kdc in
            let joe = try await kdc.keytab("joe", of: "joe")
            _ = try await kdc.keytab("other", of: "HTTP/other.example.test")
            let service = Service(kdc)
            #expect(try await service.failure(kdc.token(for: joe, service: "HTTP@other.example.test")) == Self.foreign)
            #expect(service.reasons.first?.contains("HTTP/other.example.test@EXAMPLE.TEST not found in keytab") == true)
            // A keytab of a host often has the key of SSH too.
            _ = try await kdc.keytab("http", of: "host/odcs.example.test")
            #expect(try await Service(kdc).failure(kdc.token(for: joe, service: "host@odcs.example.test")) == Self.foreign)
            #expect(try await Service(kdc).failure(kdc.token(for: joe)) == nil)
        }
    }

    @Test func `a realm that is not configured is refused, whatever the KDC trusts`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc, realms: KerberosRealms(allowed: ["EXAMPLE.ORG", "example.test"]))
            let token = try await kdc.token(for: try await kdc.keytab("joe", of: "joe"))
            #expect(
                try await service.failure(token)
                    == .forbidden("The realm of your Kerberos ticket is not one of those that this service accepts."))
            #expect(service.reasons == ["joe@EXAMPLE.TEST"])
        }
    }

    @Test func `a principal with a quoted character is refused`() async throws {
        try await TestKDC.with { kdc in
            let token = try await kdc.token(for: try await kdc.keytab("trick", of: #"joe\@EXAMPLE.ORG@EXAMPLE.TEST"#))
            #expect(
                try await Service(kdc).failure(token)
                    == .forbidden(
                        "The name of your Kerberos principal has a backslash or a second @. It cannot be an account of this service."))
        }
    }

    @Test func `a key that changed in the KDC alone is reported to the operator`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let joe = try await kdc.keytab("joe", of: "joe")
            #expect(try await service.failure(kdc.token(for: joe)) == nil)
            try await kdc.changeKey(of: TestKDC.service)
            #expect(try await service.failure(kdc.token(for: joe)) == Self.foreign)
            #expect(service.reasons.first?.contains("keytab is likely out of date") == true)
            // The keytab is read again, without a restart.
            try await kdc.exportKey(of: TestKDC.service, to: kdc.directory.appending("http.keytab"))
            #expect(try await service.failure(kdc.token(for: joe)) == nil)
        }
    }

    @Test func `without its keytab the service is unavailable, and works again with it`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let joe = try await kdc.keytab("joe", of: "joe")
            let keytab = kdc.directory.appending("http.keytab")
            let aside = kdc.directory.appending("aside")
            #expect(rename(keytab.string, aside.string) == 0)
            let away = CredentialFailure.unavailable("The service cannot check Kerberos tickets now.", retryAfter: 30)
            #expect(try await service.failure(kdc.token(for: joe)) == away)
            #expect(service.reasons == ["\(keytab) cannot be read: No such file or directory"])
            #expect(rename(aside.string, keytab.string) == 0)
            #expect(try await service.failure(kdc.token(for: joe)) == nil)
        }
    }

    @Test func `the check names the file and its problem`() async throws {
        try await TestKDC.with { kdc in
            let absent = kdc.directory.appending("absent")
            #expect(throws: (any Error).self) { try Keytab(absent).check() }
            let joe = try await kdc.keytab("joe", of: "joe")
            do {
                try Keytab(joe).check()
                Issue.record("a keytab without the service was accepted")
            } catch {
                #expect("\(error)".hasPrefix("\(joe) has no key of the service HTTP that can be used: "))
            }
            try Keytab(kdc.directory.appending("http.keytab")).check()
        }
    }

    @Test(arguments: ["", "AAAA", "YIIC4QYGKwYBBQUC", "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAGAbEdAAAADw=="])
    func `garbage, an empty token and NTLM are refused`(base64: String) async throws {
        try await TestKDC.with { kdc in
            let failure = try await Service(kdc).failure(Array(try #require(Data(base64Encoded: base64))))
            guard case .wrong = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
        }
    }

    @Test func `a token that is cut, changed or too long is refused`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let token = try await kdc.token(for: try await kdc.keytab("joe", of: "joe"))
            var random = SystemRandomNumberGenerator()
            for _ in 0..<200 {
                var changed = token
                // The bytes of the ticket and the authenticator are protected. Some of the frame are not.
                changed[Int.random(in: 100..<token.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                _ = try await service.failure(changed)
                #expect(try await service.failure(Array(token.prefix(Int.random(in: 0..<token.count, using: &random)))) != nil)
            }
            #expect(
                try await service.failure([UInt8](repeating: 0x60, count: 70_000))
                    == .malformed("The token after Negotiate is longer than 65536 bytes."))
            // 400 refused logins of one kind are not 400 lines.
            #expect(service.log.entries.count < 10)
        }
    }

    @Test func `a negotiation that begins without a token of Kerberos would need another round`() async throws {
        try await TestKDC.with { kdc in
            // SPNEGO's first message with the mechanism of Kerberos in its list, and without a token of it.
            let token = Array(try #require(Data(base64Encoded: "YBsGBisGAQUFAqARMA+gDTALBgkqhkiG9xIBAgI=")))
            let failure = try await Service(kdc).failure(token)
            #expect(
                failure
                    == .wrong(
                        "The login with Negotiate needs more than one round, and this service allows one. Log in with a Kerberos ticket."))
        }
    }

    @Test func `a client whose clock is wrong learns it`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let joe = try await kdc.keytab("joe", of: "joe")
            for clock in ["-10m", "+10m"] {
                #expect(
                    try await service.failure(kdc.token(for: joe, clock: clock))
                        == .wrong("Your clock and the clock of the service differ too much for Kerberos. Set your clock."))
            }
        }
    }

    @Test func `a ticket that has expired is refused`() async throws {
        // Tickets are valid for a day.
        try await TestKDC.with(clock: "-3d") { kdc in
            let joe = try await kdc.keytab("joe", of: "joe")
            #expect(
                try await Service(kdc).failure(kdc.token(for: joe))
                    == .wrong("Your Kerberos ticket has expired. Get another one with kinit."))
        }
    }

    @Test func `many clients at the same time are recognized`() async throws {
        try await TestKDC.with { kdc in
            let service = Service(kdc)
            let joe = try await kdc.keytab("joe", of: "joe")
            let tokens = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try await kdc.token(for: joe) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await withThrowingTaskGroup(of: CredentialFailure?.self) { group in
                for token in tokens { group.addTask { try await service.failure(token) } }
                for try await failure in group { #expect(failure == nil) }
            }
        }
    }
}
