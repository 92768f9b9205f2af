import AsyncHTTPClient
import ComposeModel
import ComposeTestKit
import Foundation
import NIOHTTP1
import Postgres
import SystemPackage
import Testing

/// Secrets that clients and operators use, in everything that a service writes.
@Suite struct SecretTests {
    /// Texts by the places that they were found in, and the secrets that none of them may have.
    private struct Findings {
        var texts: [String: String] = [:]
        var secrets: Set<String> = []

        mutating func add(_ answer: HTTPAnswer, of request: String) {
            let headers = answer.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            texts["the answer to \(request)"] = headers + "\n" + answer.text
        }

        /// A token is also looked for without its prefix and id, because a part of it is a secret as well.
        mutating func add(token: String) {
            secrets.formUnion([token, String(token.split(separator: "_", maxSplits: 2)[2].prefix(43))])
        }
    }

    private static func token(_ service: TestService, _ arguments: [String]) async throws -> String {
        let command = [Program.own("odcs-server"), "token"] + arguments + ["--config", service.configuration.string]
        let program = try await Program.run(command)
        guard program.isSuccess, let text = program.output.split(whereSeparator: \.isWhitespace).last else { throw program }
        return String(text)
    }

    private static func headers(_ token: String) -> [(String, String)] { [("Authorization", "Bearer \(token)")] }

    @Test(
        "no secret is in a log, an answer, a metric, an audit entry, the database or a file of the service", .timeLimit(.minutes(3)))
    func nowhere() async throws {
        let outside = try TemporaryDirectory()
        defer { outside.remove() }
        let proxySecret = "proxy-secret-\(UUID().uuidString)"
        let file = outside.path.appending("proxy.secret")
        try Data("\(proxySecret)\n".utf8).write(to: URL(filePath: file.string))
        let more = """
            log: {level: trace}
            auth:
              mechanisms: [tokens, proxy]
              proxy: {trusted: [127.0.0.1], secret_header: X-Proxy-Secret, secret_file: "\(file)"}
            access:
              admins: {users: [root]}
              clients:
                ci: {users: [joe]}
            """
        try await TestService.running(more: more) { service, server in
            var found = Findings(secrets: [proxySecret])
            let create = ["create", "--owner", "joe", "--note", "CI", "--scope", "new-compose"]
            let tokens = try await [Self.token(service, create), Self.token(service, create)]
            tokens.forEach { found.add(token: $0) }
            let (good, revoked) = (tokens[0], tokens[1])
            let revocation = try await Program.run(
                [
                    Program.own("odcs-server"), "token", "revoke", String(revoked.split(separator: "_")[1]), "--config",
                    service.configuration.string,
                ])
            #expect(revocation.isSuccess, "\(revocation)")
            found.texts["token revoke"] = revocation.output + revocation.complaints

            // Good and bad credentials, in every place that a client can put them.
            let body = #"{"source": {"type": "repo", "source": "\#(Checkout.testsRepo)", "packages": ["ed"]}}"#
            let posted = try await server.http(
                .POST, "/api/1/composes/", headers: Self.headers(good), body: .bytes(Data(body.utf8)))
            #expect(posted.status == 200, "\(posted.text)")
            found.add(posted, of: "POST")
            _ = try await service.await(1, .done, .failed)
            let basic = Data("joe:\(good)".utf8).base64EncodedString()
            let mistyped = String(good.dropLast()) + (good.last == "0" ? "1" : "0")
            let (foreign, wrongProxy) = ("hunter2-\(UUID().uuidString)", "wrong-\(UUID().uuidString)")
            found.secrets.formUnion([basic, mistyped, foreign, wrongProxy])
            let root = [("X-Remote-User", "root"), ("X-Proxy-Secret", proxySecret)]
            let requests: [(path: String, headers: [(String, String)], status: Int)] = [
                ("/api/1/me", Self.headers(good), 200), ("/api/1/me", [("X-API-Key", good)], 200),
                ("/api/1/me", [("Authorization", "Basic \(basic)")], 200), ("/api/1/me", Self.headers(revoked), 401),
                ("/api/1/me", Self.headers(mistyped), 401), ("/api/1/me", Self.headers(foreign), 401),
                ("/api/1/me", Self.headers(good) + Self.headers(foreign), 400), ("/api/1/me", [("Authorization", foreign)], 401),
                ("/api/1/me?access_token=\(good)", [], 401), ("/api/1/composes/1?api_key=\(good)", [], 200),
                ("/api/1/me", root, 200), ("/api/1/me", [("X-Remote-User", "root"), ("X-Proxy-Secret", wrongProxy)], 401),
                ("/api/1/tokens/", root, 200), ("/api/1/audit/", root, 200), ("/api/1/about", Self.headers(good), 200),
                ("/api/1/metrics", [], 200), ("/", Self.headers(good), 200), ("/composes/", [("Authorization", "Basic \(basic)")], 200),
            ]
            for (number, request) in requests.enumerated() {
                let answer = try await server.http(.GET, request.path, headers: request.headers)
                #expect(answer.status == request.status, "request \(number) to \(request.path.prefix(20)): \(answer.text)")
                found.add(answer, of: "request \(number)")
            }
            let rotation = try await server.http(
                .POST, "/api/1/tokens/\(good.split(separator: "_")[1])/rotate", headers: Self.headers(good), body: .bytes(Data("{}".utf8)))
            struct Rotation: Decodable { let token: String }
            let rotated = try JSONDecoder().decode(Rotation.self, from: rotation.body).token
            found.add(token: rotated)
            #expect(try await server.http(.GET, "/api/1/me", headers: Self.headers(rotated)).status == 200)

            let audit = try await Program.run([Program.own("odcs-server"), "audit", "--config", service.configuration.string])
            #expect(audit.isSuccess && audit.output.contains("token.rotate"), "\(audit)")
            found.texts["odcs-server audit"] = audit.output
            for row in try await service.database.pool.query(
                "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()")
            {
                let table = try row.decode(String.self, "name")
                let rows = try await service.database.pool.query(
                    "SELECT coalesce(jsonb_agg(t), '[]')::text AS text FROM \(identifier: table) t")
                found.texts["the table \(table)"] = try rows[rows.startIndex].decode(String.self, "text")
            }
            await server.terminate()
            #expect(server.logged.contains("POST"))
            found.texts["the log"] = server.logged
            let files = try FileManager.default.subpathsOfDirectory(atPath: service.directory.string)
            for path in files {
                guard let data = FileManager.default.contents(atPath: service.directory.appending(path).string) else { continue }
                found.texts["the file \(path)"] = String(decoding: data, as: UTF8.self)
            }

            #expect(found.texts.count > 40)
            for (place, text) in found.texts {
                for secret in found.secrets where text.contains(secret) { Issue.record("\(place) has a secret: \(secret.prefix(14))…") }
            }
        }
    }
}
