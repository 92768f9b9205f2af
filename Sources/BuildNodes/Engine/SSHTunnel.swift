import Foundation
import Glibc
import ImageModel
import Processes
import SystemPackage

/// An *ssh tunnel* is a socket on this host that leads to a socket on another one, by ssh(1).
///
/// The host key must be known. ssh asks nothing, uses one key, and forwards nothing else. A connection
/// that has been silent for ten seconds is lost.
struct SSHTunnel {
    let user: String?
    let host: String
    let port: Int
    /// The path of the socket on the other host.
    let path: String
    /// The file with the private key. Nil: the keys of the account.
    let key: FilePath?
    /// The file with the known host keys. Nil: that of the account.
    let knownHosts: FilePath?

    private static let ready = "odcs: the tunnel is open"

    /// Runs `body` with the socket on this host. ssh ends afterwards, and also if this process is killed.
    ///
    /// - Throws: ``NodeFailure`` if ssh cannot connect.
    func open<Value: Sendable>(node: String, _ body: @escaping @Sendable (FilePath) async throws -> Value) async throws -> Value {
        let directory = try TunnelDirectory()
        defer { directory.remove() }
        let output = OutputTail()
        do {
            return try await open(in: directory.path, output, node: node, body)
        } catch let failure as NodeFailure where failure.kind == .nodeLost && failure.step == nil {
            // The other host is there, but nobody listens on the socket. ssh has ended, so its output is complete.
            output.finish()
            guard output.lastLines(50).contains(where: { $0.contains("open failed: connect failed") }) else { throw failure }
            throw NodeFailure(.nodeLost, "The node \(node) is lost: connection refused.")
        }
    }

    private func open<Value: Sendable>(
        in directory: FilePath, _ output: OutputTail, node: String, _ body: @escaping @Sendable (FilePath) async throws -> Value
    ) async throws -> Value {
        let socket = directory.appending("engine")
        let (openings, opening) = AsyncStream.makeStream(of: Void.self)
        let watched = OutputTail { if $0 == Self.ready { opening.yield() } }
        let ssh = ChildProcess(
            program: "ssh", arguments: arguments(socket), environment: environment(directory), directory: directory,
            grace: .milliseconds(500), lifeline: Lifeline())
        // The tunnel stays until the work has ended. Work that is canceled still ends what runs on the node.
        let running = Task {
            defer { opening.finish() }
            do {
                _ = try await ssh.run { bytes in
                    output.append(bytes)
                    watched.append(bytes)
                }
            } catch is ChildProcess.CannotStart {
                throw NodeFailure(.node, "ssh is not installed on the worker. Install the package openssh-client.")
            }
        }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            defer {
                running.cancel()
                group.cancelAll()
            }
            group.addTask {
                try await running.value
                return nil
            }
            group.addTask {
                var iterator = openings.makeAsyncIterator()
                guard await iterator.next() != nil else { return nil }
                return try await body(socket)
            }
            // ssh ends first if it cannot connect, or if the connection breaks.
            let first = try await group.next() ?? nil
            if let first { return first }
            try Task.checkCancellation()
            output.finish()
            throw Self.failure(output.lastLines(50), node)
        }
    }

    private func arguments(_ socket: FilePath) -> [String] {
        var options = [
            "BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=\(key == nil ? "no" : "yes")", "ExitOnForwardFailure=yes",
            "ServerAliveInterval=3", "ServerAliveCountMax=3", "ConnectTimeout=10", "ForwardAgent=no", "ForwardX11=no",
            "StreamLocalBindMask=0177", "PermitLocalCommand=yes", "LocalCommand=echo '\(Self.ready)'", "UpdateHostKeys=no",
        ]
        if let knownHosts { options += ["UserKnownHostsFile=\(knownHosts)", "GlobalKnownHostsFile=/dev/null"] }
        var arguments = ["-F", "none", "-N", "-T", "-p", "\(port)"] + options.flatMap { ["-o", $0] }
        if let key { arguments += ["-i", key.string] }
        if let user { arguments += ["-l", user] }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        return arguments + ["-L", "\(socket):\(path)", "--", bare]
    }

    private func environment(_ directory: FilePath) -> [String: String] {
        let home = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) }
        return ChildProcess.plainEnvironment(home: home.map { FilePath($0) } ?? directory)
    }

    /// Returns the failure that the output of ssh explains.
    static func failure(_ lines: [String], _ node: String) -> NodeFailure {
        let text = lines.joined(separator: "\n")
        let reason: String =
            if text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
                "its host key has changed. Find out why, and then correct the file of known hosts"
            } else if text.contains("Host key verification failed") {
                "its host key is not known. Add it to the file of known hosts of the worker"
            } else if text.contains("Permission denied") {
                "it refuses the key of the worker"
            } else if text.contains("Connection refused") {
                "connection refused"
            } else if text.contains("Could not resolve hostname") {
                "its name is not known"
            } else if text.contains("timed out") || text.contains("not responding") {
                "it does not answer in time"
            } else if text.contains("No route to host") || text.contains("Network is unreachable") {
                "there is no way to its host"
            } else {
                "the connection of ssh has ended"
            }
        return NodeFailure(.nodeLost, "The node \(node) is lost: \(reason).")
    }
}
