import Foundation
import Glibc
import Processes
import Subprocess
public import SystemPackage

/// A TLS end for the socket of an engine, on a loopback port. It asks for a certificate of the client.
public struct TestTLSEnd: Sendable {
    public let port: Int
    /// A directory with `ca.pem`, the certificate `builder.pem` that the end accepts, and `other.pem`, an
    /// authority that has not signed it.
    public let keys: FilePath

    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Python's module `ssl` is the server.
    private static let program = """
        import socket, ssl, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        context.load_verify_locations(sys.argv[2])
        context.verify_mode = ssl.CERT_REQUIRED
        server = socket.create_server(("127.0.0.1", 0))
        print("port", server.getsockname()[1], flush=True)

        def copy(source, target):
            try:
                while data := source.recv(65536):
                    target.sendall(data)
            except OSError:
                pass
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

        def serve(connection):
            try:
                client = context.wrap_socket(connection, server_side=True)
            except OSError:
                return connection.close()
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(sys.argv[3])
            threading.Thread(target=copy, args=(client, engine), daemon=True).start()
            copy(engine, client)

        while True:
            threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
        """

    /// Runs `body` with the TLS end of a socket. It never outlives the process of the tests.
    public static func with<Value: Sendable>(
        _ socket: FilePath, _ body: @escaping @Sendable (TestTLSEnd) async throws -> Value
    ) async throws -> Value {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-tls-\(UUID().uuidString.prefix(8))")
        let keys = directory.appending("keys")
        try FileManager.default.createDirectory(atPath: keys.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        try await makeCertificates(in: directory, keys)
        let (ports, sender) = AsyncStream.makeStream(of: Int.self)
        let output = OutputTail { line in
            if line.hasPrefix("port "), let port = Int(line.dropFirst(5)) { sender.yield(port) }
        }
        let server = ChildProcess(
            program: "python3", arguments: ["-c", program, "\(directory)/server.pem", "\(keys)/ca.pem", socket.string],
            environment: ChildProcess.plainEnvironment(home: directory), directory: directory, grace: .milliseconds(200),
            lifeline: Lifeline())
        let running = Task {
            defer { sender.finish() }
            _ = try await server.run { output.append($0) }
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
            throw Failed(description: "The TLS end did not start: \(output.lastLines().joined(separator: "\n"))")
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(TestTLSEnd(port: port, keys: keys))) } catch { result = .failure(error) }
        running.cancel()
        _ = await running.result
        return try result.get()
    }

    /// Makes two authorities, and certificates of the first one for the server and the client.
    private static func makeCertificates(in directory: FilePath, _ keys: FilePath) async throws {
        let script = """
            set -e
            for name in ca other; do
                openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out "$0/$name.pem" -subj "/CN=$name" -days 2
            done
            echo subjectAltName=DNS:localhost,IP:127.0.0.1 > names
            for name in server builder; do
                openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=localhost
                openssl x509 -req -in $name.csr -CA "$0/ca.pem" -CAkey ca.key -CAcreateserial -out $name.crt -days 2 -extfile names
                cat $name.crt $name.key > $name.pem
            done
            mv builder.pem "$0"
            """
        let made = try await run(
            .name("sh"), arguments: ["-c", script, keys.string], workingDirectory: directory, output: .discarded,
            error: .string(limit: 1 << 16))
        guard made.terminationStatus.isSuccess else { throw Failed(description: "openssl failed: \(made.standardError)") }
    }
}
