import Foundation
public import SystemPackage

/// A real LDAP server, OpenLDAP's slapd, with two people and their groups. It listens on loopback and
/// on a socket of its directory.
public struct TestDirectory: Sendable {
    public static let groups = "ou=groups,dc=example,dc=test"
    public static let projects = "ou=projects,dc=example,dc=test"
    /// The name and password of the only user who may search, if the server asks for one.
    public static let reader = "cn=reader,dc=example,dc=test"
    public static let password = "5f0dcaccae8b"

    /// The certificate of the authority that has signed the server's certificate.
    public let authority: FilePath
    /// For example `ldap://127.0.0.1:34567`.
    public let address: String
    public let encryptedAddress: String
    public let socketAddress: String
    public let programs: TestPrograms
    private let process: RunningDirectory

    /// Runs `body` with a server.
    ///
    /// - Parameter isOpen: Whether everybody may search.
    public static func with<Value: Sendable>(isOpen: Bool = true, _ body: (TestDirectory) async throws -> Value) async throws -> Value {
        try await TestPrograms.with { programs in
            let directory = programs.directory
            try FileManager.default.createDirectory(atPath: directory.appending("data").string, withIntermediateDirectories: true)
            try await makeCertificates(programs)
            let settings = try programs.write(
                """
                include /etc/ldap/schema/core.schema
                include /etc/ldap/schema/cosine.schema
                include /etc/ldap/schema/nis.schema
                pidfile \(directory)/slapd.pid
                modulepath /usr/lib/ldap
                moduleload back_mdb
                TLSCACertificateFile \(directory)/authority.pem
                TLSCertificateFile \(directory)/server.pem
                TLSCertificateKeyFile \(directory)/server.key
                database mdb
                suffix "dc=example,dc=test"
                directory \(directory)/data
                rootdn "\(reader)"
                rootpw \(password)
                access to * by \(isOpen ? "* read" : "anonymous auth by * none")
                """, to: "slapd.conf")
            let entries = try programs.write(Self.entries, to: "entries.ldif")
            try await programs.run("slapadd", ["-f", settings.string, "-l", entries.string])
            let process = RunningDirectory(programs, settings: settings)
            let (plain, encrypted) = try await process.start()
            let test = TestDirectory(
                authority: directory.appending("authority.pem"), address: "ldap://127.0.0.1:\(plain)",
                encryptedAddress: "ldaps://localhost:\(encrypted)", socketAddress: process.socket, programs: programs, process: process)
            let result: Result<Value, any Error>
            do { result = .success(try await body(test)) } catch { result = .failure(error) }
            await process.end()
            return try result.get()
        }
    }

    /// Ends the server. It can start again at the same addresses.
    public func end() async { await process.end() }
    public func start() async throws { _ = try await process.start() }

    private static func makeCertificates(_ programs: TestPrograms) async throws {
        let authority = ["-x509", "-subj", "/CN=Test authority", "-keyout", "authority.key", "-out", "authority.pem"]
        let server = ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]
        for request in [authority, server] {
            try await programs.run(
                "openssl", ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"] + request)
        }
        // libldap takes the name of this host in place of localhost when it checks a certificate.
        _ = try programs.write("subjectAltName=DNS:localhost,DNS:\(ProcessInfo.processInfo.hostName)", to: "names")
        try await programs.run(
            "openssl",
            [
                "x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", "server.pem",
            ])
    }

    private static func group(_ name: String, _ number: Int, of people: String..., below base: String = groups) -> String {
        let members = people.map { "memberUid: \($0)\nuid: \($0)\n" }.joined()
        return "dn: cn=\(name),\(base)\nobjectClass: posixGroup\nobjectClass: uidObject\nobjectClass: extensibleObject\ncn: \(name)\n"
            + "gidNumber: \(number)\n\(members)\n"
    }

    private static let entries =
        """
        dn: dc=example,dc=test
        objectClass: dcObject
        objectClass: organization
        dc: example
        o: Example

        dn: \(groups)
        objectClass: organizationalUnit
        ou: groups

        dn: \(projects)
        objectClass: organizationalUnit
        ou: projects


        """ + group("releng", 1, of: "joe", "jane") + group("odcs-admins", 2, of: "jane") + group("team", 3, of: "joe", below: projects)
        + group("below", 4, of: "joe", below: "cn=releng,\(groups)")
}

/// The process of a directory, which can end and start again.
private actor RunningDirectory {
    nonisolated let socket: String
    private let programs: TestPrograms
    private let settings: FilePath
    private var server: TestServer?
    private var ports: (plain: UInt16, encrypted: UInt16)?

    init(_ programs: TestPrograms, settings: FilePath) {
        self.programs = programs
        self.settings = settings
        socket = "ldapi://\(programs.directory.appending("ldapi").string.replacing("/", with: "%2F"))"
    }

    func start() async throws -> (plain: UInt16, encrypted: UInt16) {
        var failure: (any Error)?
        for _ in 0..<5 {
            let ports = try self.ports ?? (TestPrograms.freePort(), TestPrograms.freePort())
            let addresses = "ldap://127.0.0.1:\(ports.plain) ldaps://127.0.0.1:\(ports.encrypted) \(socket)"
            do {
                // It logs "slapd starting" before it listens. With the events of connections (8), it says
                // that it waits for them.
                server = try await programs.start(
                    "slapd", ["-h", addresses, "-f", settings.string, "-d", "264"], sign: "epoll: listen=")
                self.ports = ports
                return ports
            } catch {
                failure = error
            }
        }
        throw failure ?? TestPrograms.Failed(description: "no port is free")
    }

    func end() async {
        await server?.end()
        server = nil
    }
}
