import Foundation
import Glibc
import Processes
import Subprocess
public import SystemPackage

/// A real sshd on a loopback port, with keys of its own. It lets only the account in that runs it.
public struct TestSSHServer: Sendable {
    public let port: Int
    /// The account to log in as.
    public let user: String
    /// A directory with `known_hosts`, and with the private key `builder`.
    public let keys: FilePath

    public struct Refused: Error, CustomStringConvertible {
        public let description: String
    }

    /// Why there is no sshd here, or nil. The variable ODCS_TEST_SSHD names one that is not installed.
    public static var obstacle: String? {
        program == nil ? "sshd is not installed. Install openssh-server for the tests of nodes over ssh." : nil
    }

    private static var program: String? {
        [ProcessInfo.processInfo.environment["ODCS_TEST_SSHD"], "/usr/sbin/sshd"].compactMap(\.self).first { access($0, X_OK) == 0 }
    }

    /// Runs `body` with a server. It is ended afterwards.
    public static func with<Value: Sendable>(_ body: @escaping @Sendable (TestSSHServer) async throws -> Value) async throws -> Value {
        guard let program else { throw Refused(description: obstacle ?? "") }
        try await BuildTestAccount.prepare()
        // sshd of root needs an account of its own, so an ordinary user runs it.
        let account = geteuid() == 0 ? Account(named: "odcs-build") : Account.current
        guard let account else { throw Refused(description: "There is no account to run sshd as.") }
        let directory = FilePath("/tmp").appending("odcs-sshd-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        let keys = directory.appending("keys")
        try FileManager.default.createDirectory(atPath: keys.string, withIntermediateDirectories: true)
        for file in [directory.appending("host"), keys.appending("builder")] {
            _ = try await Subprocess.run(
                .name("ssh-keygen"), arguments: ["-q", "-t", "ed25519", "-N", "", "-f", file.string], output: .discarded)
        }
        let port = try freePort()
        try
            "Port \(port)\nListenAddress 127.0.0.1\nHostKey \(directory)/host\nAuthorizedKeysFile \(directory)/authorized\nStrictModes no\nUsePAM no\nPidFile none\nAllowStreamLocalForwarding yes\n"
            .write(toFile: directory.appending("config").string, atomically: true, encoding: .utf8)
        try FileManager.default.copyItem(atPath: "\(keys)/builder.pub", toPath: directory.appending("authorized").string)
        let host = try String(contentsOfFile: "\(directory)/host.pub", encoding: .utf8).split(separator: " ").prefix(2).joined(
            separator: " ")
        try "[127.0.0.1]:\(port) \(host)\n".write(toFile: keys.appending("known_hosts").string, atomically: true, encoding: .utf8)
        for name in ["", "host", "config", "authorized"] {
            guard chown(directory.pushing(FilePath(name)).string, account.user, account.group) == 0 || geteuid() != 0 else {
                throw Refused(description: "The files of sshd cannot be given to \(account.name).")
            }
        }
        let (listening, sender) = AsyncStream.makeStream(of: Void.self)
        let output = OutputTail { if $0.contains("Server listening on") { sender.yield() } }
        let entry = geteuid() == 0 ? ["setpriv"] + account.prefix : []
        let command = entry + [program, "-D", "-e", "-f", directory.appending("config").string]
        let sshd = ChildProcess(
            program: command[0], arguments: Array(command.dropFirst()), environment: ChildProcess.plainEnvironment(home: directory),
            directory: directory, grace: .milliseconds(200), lifeline: Lifeline())
        let running = Task {
            defer { sender.finish() }
            _ = try await sshd.run { output.append($0) }
        }
        var iterator = listening.makeAsyncIterator()
        guard await iterator.next() != nil else {
            throw Refused(description: "sshd did not start: \(output.lastLines().joined(separator: "\n"))")
        }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(TestSSHServer(port: port, user: account.name, keys: keys)))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = await running.result
        return try result.get()
    }

    /// Returns a port that nobody listens on now.
    private static func freePort() throws -> Int {
        let socket = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, size) == 0 && getsockname(socket, pointer, &size) == 0
            }
        }
        guard isBound else { throw Refused(description: "There is no free port.") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
