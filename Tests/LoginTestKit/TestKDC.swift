import Foundation
import Glibc
import Processes
public import SystemPackage

/// A real KDC, MIT's krb5kdc, for the realm EXAMPLE.TEST on a loopback port. Clients run as child
/// processes, because libkrb5 finds the KDC by an environment variable.
public struct TestKDC: Sendable {
    public static let realm = "EXAMPLE.TEST"
    /// The service of ODCS. Clients name it `HTTP@odcs.example.test`.
    public static let service = "HTTP/odcs.example.test"

    public let programs: TestPrograms
    /// The offset of the KDC's clock, as faketime writes it. Example: `-1d`.
    private let clock: String?
    public var directory: FilePath { programs.directory }

    /// Runs `body` with a KDC that has the keys of ``service`` in the keytab `http.keytab`.
    ///
    /// - Parameter clock: The offset of the KDC's clock and of its clients, as faketime writes it.
    public static func with<Value: Sendable>(clock: String? = nil, _ body: (TestKDC) async throws -> Value) async throws -> Value {
        try await TestPrograms.with { programs in
            var programs = programs
            programs.environment["KRB5_CONFIG"] = "\(programs.directory)/krb5.conf"
            programs.environment["KRB5_KDC_PROFILE"] = "\(programs.directory)/kdc.conf"
            let kdc = TestKDC(programs: programs, clock: clock)
            // No port is needed before the KDC starts.
            try kdc.writeSettings(port: 9)
            try await programs.run("kdb5_util", ["create", "-s", "-r", realm, "-P", "master"])
            _ = try await kdc.keytab("http", of: service)
            let command = Self.withClock(clock, "krb5kdc")
            let server = try await programs.start(command[0], sign: "commencing operation") { port in
                try kdc.writeSettings(port: port)
                return Array(command.dropFirst()) + ["-n", "-r", realm, "-P", "\(programs.directory)/kdc.pid"]
            }.server
            let result: Result<Value, any Error>
            do { result = .success(try await body(kdc)) } catch { result = .failure(error) }
            await server.end()
            return try result.get()
        }
    }

    private func writeSettings(port: UInt16) throws {
        // The large skew lets clients with a wrong clock get tickets. The service has the default.
        _ = try programs.write(
            """
            [libdefaults]
            default_realm = \(Self.realm)
            dns_lookup_kdc = false
            dns_lookup_realm = false
            dns_canonicalize_hostname = false
            rdns = false
            udp_preference_limit = 1
            clockskew = 1000000
            kdc_timesync = 0
            [realms]
            \(Self.realm) = {
                kdc = 127.0.0.1:\(port)
            }
            """, to: "krb5.conf")
        _ = try programs.write(
            """
            [kdcdefaults]
            kdc_listen = ""
            kdc_tcp_listen = 127.0.0.1:\(port)
            [realms]
            \(Self.realm) = {
                database_name = \(directory)/principals
                key_stash_file = \(directory)/stash
                acl_file = \(directory)/acl
                supported_enctypes = aes256-cts:normal
            }
            [logging]
            kdc = STDERR
            """, to: "kdc.conf")
    }

    /// Adds a principal, and returns a keytab with its key. `name` is the name of the file without `.keytab`.
    public func keytab(_ name: String, of principal: String) async throws -> FilePath {
        let file = directory.appending("\(name).keytab")
        try await programs.run("kadmin.local", ["-r", Self.realm, "addprinc", "-randkey", principal])
        try await programs.run("kadmin.local", ["-r", Self.realm, "ktadd", "-norandkey", "-k", file.string, principal])
        return file
    }

    /// Gives a principal another key. Its keytabs are then out of date.
    public func changeKey(of principal: String) async throws {
        try await programs.run("kadmin.local", ["-r", Self.realm, "cpw", "-randkey", principal])
    }

    /// Writes the present key of a principal to a new keytab, and puts it in the place of `file`.
    public func exportKey(of principal: String, to file: FilePath) async throws {
        let new = FilePath("\(file).new")
        try await programs.run("kadmin.local", ["-r", Self.realm, "ktadd", "-norandkey", "-k", new.string, principal])
        guard rename(new.string, file.string) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Returns a token for the service, as a client sends it after `Negotiate`.
    ///
    /// - Parameters:
    ///   - keytab: The keys of the client.
    ///   - mechanism: `SPNEGO`, as browsers send it, or `GS2-KRB5`, as old programs of Java do.
    ///   - clock: The offset of the client's clock, as faketime writes it.
    public func token(
        for keytab: FilePath, service: String = "HTTP@odcs.example.test", mechanism: String = "SPNEGO", clock: String? = nil
    ) async throws -> [UInt8] {
        let command = client(service, mechanism, answer: nil, clock: clock)
        let line = try await programs.run(command[0], Array(command.dropFirst()), Self.environment(of: keytab))
        return Array(Data(base64Encoded: line.trimmingCharacters(in: .whitespacesAndNewlines)) ?? Data())
    }

    /// Runs a client that sends a token, and expects the answer of the service that it asked for.
    ///
    /// - Returns: Whether the client accepted the answer.
    public func login(with keytab: FilePath, answering answer: @escaping @Sendable ([UInt8]) async throws -> [UInt8]) async throws -> Bool {
        let file = directory.appending("answer-\(UUID().uuidString)")
        guard mkfifo(file.string, 0o600) == 0 else { throw Errno(rawValue: errno) }
        let (lines, sender) = AsyncStream.makeStream(of: String.self)
        let output = OutputTail { sender.yield($0) }
        let command = client("HTTP@odcs.example.test", "SPNEGO", answer: file, clock: nil)
        let process = ChildProcess(
            program: command[0], arguments: Array(command.dropFirst()),
            environment: programs.environment.merging(Self.environment(of: keytab)) { $1 }, directory: directory, lifeline: Lifeline())
        async let ending = {
            defer { sender.finish() }
            return try await process.run { output.append($0) }
        }()
        var iterator = lines.makeAsyncIterator()
        if let line = await iterator.next(), let token = Data(base64Encoded: line) {
            // The pipe is open for reading too, so opening it never waits for the client.
            let pipe = try FileDescriptor.open(file, .readWrite)
            defer { try? pipe.close() }
            let reply = Data(try await answer(Array(token))).base64EncodedString()
            try pipe.writeAll("\(reply)\n".utf8)
            while let line = await iterator.next() {
                if line == "accepted" {
                    _ = try await ending
                    return true
                }
            }
        }
        _ = try await ending
        return false
    }

    private static func environment(of keytab: FilePath) -> [String: String] {
        ["KRB5_CLIENT_KTNAME": keytab.string, "KRB5CCNAME": "MEMORY:"]
    }

    private func client(_ service: String, _ mechanism: String, answer: FilePath?, clock: String?) -> [String] {
        let clock = clock ?? self.clock
        return Self.withClock(clock, "/usr/bin/python3") + ["-c", Self.script, service, mechanism]
            + (answer.map { [$0.string] } ?? [])
    }

    /// Returns a command whose clock has an offset.
    ///
    /// The program `faketime` names shared memory by its process id, and leaves it when it is killed. In the
    /// process namespace of a lifeline the next one has the same id, and does not start.
    private static func withClock(_ offset: String?, _ program: String) -> [String] {
        guard let offset else { return [program] }
        return ["env", "LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME=\(offset)", program]
    }

    private static let script = """
        import base64, sys
        import gssapi
        gssapi.SecurityContext.__DEFER_STEP_ERRORS__ = False
        service, mechanism, *answer = sys.argv[1:]
        context = gssapi.SecurityContext(
            name=gssapi.Name(service, gssapi.NameType.hostbased_service),
            mech=gssapi.Mechanism.from_sasl_name(mechanism),
            flags=gssapi.RequirementFlag.mutual_authentication,
            usage="initiate")
        print(base64.b64encode(context.step()).decode(), flush=True)
        if answer:
            with open(answer[0]) as pipe:
                context.step(base64.b64decode(pipe.readline()))
            print("accepted" if context.complete else "unfinished", flush=True)
        """
}
