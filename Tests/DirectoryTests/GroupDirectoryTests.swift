import Foundation
import Identity
import InMemoryLogging
import Logging
import LoginTestKit
import NIOPosix
import Synchronization
import SystemPackage
import Testing

@testable import Directory

/// The directory against a real slapd.
struct GroupDirectoryTests {
    /// A clock that stands still until a test moves it.
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock(\.self) }
        func advance(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    private struct Service {
        /// Searches block, and other tests need the few threads of NIO's pool.
        private static let threads: NIOThreadPool = {
            let threads = NIOThreadPool(numberOfThreads: 2)
            threads.start()
            return threads
        }()

        let directory: GroupDirectory
        let clock = Clock()
        let log = InMemoryLogHandler()

        init(_ settings: DirectorySettings) {
            var logger = Logger(label: "test")
            logger.handler = log
            directory = GroupDirectory(settings, threadPool: Self.threads, logger: logger, now: { [clock] in clock.now })
        }

        func groups(of name: String) async throws -> Set<String> { try await directory.groups(of: AccountName(name)) }

        /// The failure of a search, or `nil` if it succeeds.
        func failure(of name: String) async throws -> CredentialFailure? {
            do {
                _ = try await groups(of: name)
                return nil
            } catch let failure as CredentialFailure {
                return failure
            }
        }

        var reasons: [String] { log.entries.map { "\($0.metadata["reason"] ?? "")" } }
    }

    private static let away = CredentialFailure.unavailable(
        "The service cannot ask the directory for your groups now.", retryAfter: 30)

    private static func settings(_ address: String, filter: String = "memberUid={}") throws -> DirectorySettings {
        DirectorySettings(
            address: try DirectoryAddress(address), searches: [try GroupSearch(base: TestDirectory.groups, filter: filter)],
            patience: .seconds(30))
    }

    @Test func `the groups of a person come from each base, and from one level only`() async throws {
        try await TestDirectory.with { server in
            var settings = try Self.settings(server.address)
            #expect(try await Service(settings).groups(of: "joe") == ["releng"])
            #expect(try await Service(settings).groups(of: "jane") == ["releng", "odcs-admins"])
            #expect(try await Service(settings).groups(of: "nobody") == [])
            settings.searches.append(try GroupSearch(base: TestDirectory.projects, filter: "(&(objectClass=posixGroup)(memberUid={}))"))
            #expect(try await Service(settings).groups(of: "joe") == ["releng", "team"])
            #expect(try await Service(Self.settings(server.socketAddress)).groups(of: "joe") == ["releng"])
        }
    }

    @Test(arguments: ["*", "j*", "joe)(cn=*", "*)(memberUid=jane", "\\2a", "joe)(|(memberUid=*))", "Joe", "josé"])
    func `a name with characters of filters is in no group`(name: String) async throws {
        try await TestDirectory.with { server in
            let service = Service(try Self.settings(server.address, filter: "(&(objectClass=posixGroup)(memberUid={}))"))
            #expect(try await service.groups(of: name) == [])
            #expect(service.log.entries.isEmpty)
        }
    }

    @Test func `a name in wide letters does not have the groups of the same name in plain letters`() async throws {
        try await TestDirectory.with { server in
            // The attribute uid is compared without case, and after a normalization.
            let service = Service(try Self.settings(server.address, filter: "uid={}"))
            #expect(try await service.groups(of: "joe") == ["releng"])
            #expect(try await service.groups(of: "ｊｏｅ") == [])
        }
    }

    @Test func `the connection is encrypted by ldaps and by StartTLS, and an unknown authority is refused`() async throws {
        try await TestDirectory.with { server in
            let plain = server.address.replacing("127.0.0.1", with: "localhost")
            for (address, startTLS) in [(server.encryptedAddress, false), (plain, true)] {
                var settings = try Self.settings(address)
                settings.startTLS = startTLS
                #expect(try await Service(settings).failure(of: "joe") == Self.away)
                settings.authorities = server.authority
                #expect(try await Service(settings).groups(of: "joe") == ["releng"])
                // The certificate is for localhost.
                settings.address = try DirectoryAddress(address.replacing("localhost", with: "127.0.0.1"))
                #expect(try await Service(settings).failure(of: "joe") == Self.away)
            }
        }
    }

    @Test func `a directory that is not open asks for a name and a password`() async throws {
        try await TestDirectory.with(isOpen: false) { server in
            var settings = try Self.settings(server.address)
            settings.login = (TestDirectory.reader, Secret(TestDirectory.password))
            #expect(try await Service(settings).groups(of: "joe") == ["releng"])
            settings.login = (TestDirectory.reader, Secret("another password"))
            let service = Service(settings)
            #expect(try await service.failure(of: "joe") == Self.away)
            #expect(service.reasons == ["login as cn=reader,dc=example,dc=test: Invalid credentials"])
        }
    }

    @Test func `a server that accepts connections and then stands still is away`() async throws {
        // The kernel accepts connections of a socket that listens.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try #require(bind(listener, pointer, length) == 0 && listen(listener, 10) == 0)
                try #require(getsockname(listener, pointer, &length) == 0)
            }
        }
        var settings = try Self.settings("ldaps://127.0.0.1:\(UInt16(bigEndian: address.sin_port))")
        settings.patience = .milliseconds(300)
        let service = try Service(settings)

        #expect(try await service.failure(of: "joe") == Self.away)
        #expect(service.reasons.count == 1 && service.reasons[0].contains("Timed out"), "\(service.reasons)")
    }

    @Test func `groups are remembered for a while, and longer while the server is away`() async throws {
        try await TestDirectory.with { server in
            let service = Service(try Self.settings(server.address))
            #expect(try await service.groups(of: "joe") == ["releng"])
            await server.end()
            #expect(try await service.groups(of: "joe") == ["releng"])
            #expect(service.log.entries.isEmpty)
            service.clock.advance(.seconds(301))
            #expect(try await service.groups(of: "joe") == ["releng"])
            #expect(try await service.failure(of: "jane") == Self.away)
            #expect(service.reasons == ["searching below ou=groups,dc=example,dc=test: Can't contact LDAP server"])
            service.clock.advance(GroupDirectory.grace)
            #expect(try await service.failure(of: "joe") == Self.away)
            try await server.start()
            // It is asked again after a pause.
            service.clock.advance(GroupDirectory.pause)
            #expect(try await service.groups(of: "joe") == ["releng"])
            #expect(try await service.groups(of: "jane") == ["releng", "odcs-admins"])
        }
    }

    @Test func `a base that does not exist is an error of one search, and the operator learns it`() async throws {
        try await TestDirectory.with { server in
            var settings = try Self.settings(server.address)
            settings.searches = [try GroupSearch(base: "ou=people,dc=example,dc=test", filter: "memberUid={}")]
            let service = Service(settings)
            #expect(try await service.failure(of: "joe") == Self.away)
            #expect(service.reasons == ["searching below ou=people,dc=example,dc=test: No such object"])
        }
    }

    @Test func `only people whom another provider recognizes get groups`() async throws {
        struct Known: IdentityProvider {
            let name = "known"
            let challenge: String? = "Negotiate"
            let identity: Identity?
            func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? { identity }
        }
        try await TestDirectory.with { server in
            let directory = Service(try Self.settings(server.address)).directory
            func identity(_ identity: Identity?) async throws -> Identity? {
                let provider = DirectoryGroups(of: Known(identity: identity), in: directory)
                #expect(provider.name == "known")
                #expect(provider.challenge == "Negotiate")
                return try await provider.identity(Credentials())
            }
            let joe = Identity(account: try AccountName("joe"), provider: "known", groups: ["more"])
            #expect(try await identity(joe)?.groups == ["more", "releng"])
            #expect(try await identity(nil) == nil)
            var workload = joe
            workload.workload = "joe"
            #expect(try await identity(workload) == workload)
        }
    }
}
