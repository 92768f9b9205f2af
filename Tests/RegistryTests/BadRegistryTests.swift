import Foundation
import ImageModel
import ImageTestKit
import NIOCore
import Registry
import SystemPackage
import Testing

private typealias Answer = ScriptedRegistry.Answer

private let bytes = Array("the content of a blob".utf8)
private let blob = Descriptor(of: bytes, mediaType: .ociLayer)

/// Runs `body` with a file of credentials for all hosts given.
private func withCredentials<Value>(for hosts: [RegistryHost], _ body: (CredentialFiles) async throws -> Value) async throws -> Value {
    let file = FileManager.default.temporaryDirectory.appending(path: "odcs-auth-\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let auth = Data("me:hidden".utf8).base64EncodedString()
    try Data(#"{"auths":{\#(hosts.map { #""\#($0)":{"auth":"\#(auth)"}"# }.joined(separator: ","))}}"#.utf8).write(to: file)
    return try await body(CredentialFiles(FilePath(file.path)))
}

private let basic = "Basic " + Data("me:hidden".utf8).base64EncodedString()

@Suite("With a broken or hostile registry")
struct BadRegistryTests {
    // MARK: Digests and sizes

    @Test("A blob with another digest is refused")
    func lyingBlob() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, text: "other content, same size".prefix(bytes.count).description) }
            try await withClient { client in
                let found = await failure { _ = try await client.blob(blob, of: registry.repository("web")) }
                #expect(found?.code == .mismatch)
                #expect(found?.message.contains("Content that should have the digest \(blob.digest) has sha256:") ?? false)
            }
        }
    }

    @Test("A blob of a wrong length is refused before its content is read", arguments: ["1", "22", "9223372036854775807"])
    func wrongLength(length: String) async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, [], .cut([], announced: length)) }
            try await withClient { client in
                var received = 0
                let found = await failure {
                    try await client.blob(blob, of: registry.repository("web")) { received += $0.readableBytes }
                }
                #expect(found?.code == .mismatch)
                #expect(received == 0)
            }
        }
    }

    @Test("A length beyond 2^63 does no harm")
    func hugeLength() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, [], .cut([], announced: "9223372036854775808")) }
            try await withClient { client throws in
                #expect(await failure { _ = try await client.blob(blob, of: registry.repository("web")) } != nil)
                #expect(await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) } != nil)
            }
        }
    }

    @Test("A blob without end is refused when it is too long")
    func endlessBlob() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, [("transfer-encoding", "chunked")], .endless([UInt8](repeating: 0, count: 4096))) }
            try await withClient { client in
                let large = Descriptor(mediaType: .ociLayer, digest: blob.digest, size: 100_000)
                var received = 0
                let found = await failure {
                    try await client.blob(large, of: registry.repository("web")) { received += $0.readableBytes }
                }
                #expect(found?.code == .mismatch)
                #expect(received <= 100_000)
            }
        }
    }

    @Test("A manifest without end is refused")
    func endlessManifest() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, [("transfer-encoding", "chunked")], .endless([UInt8](repeating: 0x20, count: 65_536))) }
            try await withClient { client in
                let found = await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) }
                #expect(found?.message == "The answer of the registry at \(registry.origin) is larger than 4194304 bytes.")
            }
        }
    }

    @Test("A manifest with another digest than the requested one, or the one that its registry reports, is refused")
    func lyingManifest() async throws {
        try await ScriptedRegistry.with { registry in
            let document = SmallImage().document
            let other = ImageDigest(of: Array("x".utf8))
            registry.answer { _ in
                Answer(200, [("content-type", document.mediaType.rawValue), ("docker-content-digest", "\(other)")], .bytes(document.bytes))
            }
            try await withClient { client in
                let repository = try registry.repository("web")
                #expect(
                    await failure { _ = try await client.manifest(ImageReference(repository, digest: other)) }?.message
                        == "The answer of the registry at \(registry.origin) for \(repository)@\(other) cannot be used. "
                        + "The manifest should have the digest \(other), and has \(document.digest).")
                #expect(await failure { _ = try await client.manifest(ImageReference(repository)) }?.code == .mismatch)
            }
        }
    }

    @Test("A manifest of schema 1 is refused with a sentence")
    func schema1() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in
                Answer(
                    200, [("content-type", "application/vnd.docker.distribution.manifest.v1+prettyjws")],
                    text: #"{"schemaVersion":1,"fsLayers":[]}"#)
            }
            try await withClient { client in
                let found = await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) }
                #expect(found?.message.contains("The manifest has schema 1, which is not supported") ?? false)
            }
        }
    }

    // MARK: Broken connections

    @Test("A blob whose connection breaks is continued at the same place")
    func cutBlob() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { request in
                guard let range = request.headers["range"] else {
                    return Answer(200, [], .cut(Array(bytes[..<7]), announced: "\(bytes.count)"))
                }
                return range == "bytes=7-"
                    ? Answer(206, [("content-range", "bytes 7-\(bytes.count - 1)/\(bytes.count)")], .bytes(Array(bytes[7...])))
                    : Answer(416)
            }
            try await withClient { client throws in
                #expect(try await client.blob(blob, of: registry.repository("web")) == bytes)
                #expect(registry.requests.map { $0.headers["range"] } == [nil, "bytes=7-"])
            }
        }
    }

    @Test("A registry without ranges sends a blob again, and the caller gets each byte once")
    func noRanges() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { request in
                request.number == 1
                    ? Answer(200, [], .cut(Array(bytes[..<7]), announced: "\(bytes.count)")) : Answer(200, [], .bytes(bytes))
            }
            try await withClient { client throws in #expect(try await client.blob(blob, of: registry.repository("web")) == bytes) }
        }
    }

    @Test("A connection that always breaks is given up after the allowed attempts")
    func alwaysCut() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, [], .cut([], announced: "\(bytes.count)")) }
            let clock = ImpatientClock()
            try await withClient(clock: clock) { client in
                let found = await failure { _ = try await client.blob(blob, of: registry.repository("web")) }
                #expect(found?.code == .unreachable)
                #expect(registry.requests.count == RegistryLimits().attempts)
                #expect(clock.pauses.count == RegistryLimits().attempts - 1)
            }
        }
    }

    @Test("The error of the receiver of a blob ends the transfer and is thrown as it is")
    func receiverError() async throws {
        struct Full: Error {}
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, [], .bytes(bytes)) }
            try await withClient { client in
                await #expect(throws: Full.self) { try await client.blob(blob, of: registry.repository("web")) { _ in throw Full() } }
                #expect(registry.requests.count == 1)
            }
        }
    }

    @Test("Statuses of a busy registry are tried again, after the pause that it asks for", arguments: [408, 429, 500, 503])
    func busy(status: Int) async throws {
        try await ScriptedRegistry.with { registry in
            let document = SmallImage().document
            registry.answer { request in
                request.number == 1
                    ? Answer(status, [("retry-after", "7")])
                    : Answer(200, [("content-type", document.mediaType.rawValue)], .bytes(document.bytes))
            }
            let clock = ImpatientClock()
            try await withClient(clock: clock) { client throws in
                #expect(try await client.manifest(ImageReference(registry.repository("web"))) == document)
                #expect(clock.pauses == [.seconds(7)])
            }
        }
    }

    @Test("A registry that asks for a very long pause is given up at once", arguments: ["3600", "99999999999999999999"])
    func longPause(pause: String) async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in
                Answer(429, [("retry-after", pause)], text: #"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\u001b down"}]}"#)
            }
            var configuration = RegistryConfiguration()
            configuration.limits.attempts = 2
            try await withClient(configuration) { client in
                let found = await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) }
                #expect(
                    found?.message
                        == "The registry could not be used: \(registry.origin) answered with the status 429: TOOMANYREQUESTS slowU+001B down."
                )
                #expect(registry.requests.count == (pause == "3600" ? 1 : 2))
            }
        }
    }

    // MARK: Lists

    @Test("A list of tags is read over several pages")
    func pages() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { request in
                request.uri.contains("last=")
                    ? Answer(200, text: #"{"tags":["c"]}"#)
                    : Answer(200, [("link", "</v2/web/tags/list?last=b&n=2>; rel=\"next\"")], text: #"{"tags":["a","b"]}"#)
            }
            try await withClient { client throws in
                #expect(try await client.tags(of: registry.repository("web")).map(\.text) == ["a", "b", "c"])
            }
        }
    }

    @Test("A list of tags without end is given up")
    func endlessTags() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(200, [("link", "</v2/web/tags/list?n=1>; rel=\"next\"")], text: #"{"tags":["a"]}"#) }
            var configuration = RegistryConfiguration()
            configuration.limits.pages = 20
            try await withClient(configuration) { client in
                let repository = try registry.repository("web")
                #expect(
                    await failure { _ = try await client.tags(of: repository) }?.message
                        == "The list of tags of \(repository) has more than 20 pages. It is not read to its end.")
                #expect(registry.requests.count == 20)
            }
            configuration.limits.tags = 3
            try await withClient(configuration) { client throws in
                #expect(await failure { _ = try await client.tags(of: registry.repository("web")) }?.code == .limitExceeded)
            }
        }
    }

    @Test("A next page at another server, and tags that are not tags, are refused")
    func badPages() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { request in
                request.uri.hasPrefix("/v2/a/")
                    ? Answer(200, [("link", "<http://127.0.0.2:1/x>; rel=\"next\"")], text: #"{"tags":[]}"#)
                    : Answer(200, text: #"{"tags":["../../etc"]}"#)
            }
            try await withClient { client throws in
                #expect(await failure { _ = try await client.tags(of: registry.repository("a")) }?.code == .badAnswer)
                #expect(await failure { _ = try await client.tags(of: registry.repository("b")) }?.code == .badAnswer)
            }
        }
    }

    @Test("Referrers are read by the API where the registry has it")
    func referrersAPI() async throws {
        try await ScriptedRegistry.with { registry in
            let index = ManifestDocument(ImageIndex(manifests: [SmallImage().document.descriptor()]))
            registry.answer { request in
                request.uri.contains("/referrers/")
                    ? Answer(200, [("content-type", index.mediaType.rawValue)], .bytes(index.bytes)) : Answer(404)
            }
            try await withClient { client throws in
                #expect(try await client.referrers(of: blob.digest, in: registry.repository("web")).count == 1)
            }
        }
    }

    // MARK: Redirects and credentials

    @Test("A redirect of a blob to another host is followed without credentials")
    func redirect() async throws {
        try await ScriptedRegistry.with { storage in
            try await ScriptedRegistry.with { registry in
                storage.answer { _ in Answer(200, [], .bytes(bytes)) }
                let place = storage.origin.replacing("127.0.0.1", with: "localhost") + "/signed?x=%2F1"
                registry.answer { request in
                    request.authorization == basic
                        ? Answer(307, [("location", place)]) : Answer(401, [("www-authenticate", "Basic realm=\"x\"")])
                }
                try await withCredentials(for: [registry.host, storage.host]) { credentials in
                    try await withClient(RegistryConfiguration(credentials: credentials)) { client throws in
                        #expect(try await client.blob(blob, of: registry.repository("web")) == bytes)
                    }
                }
                #expect(registry.requests.map(\.authorization) == [nil, basic])
                #expect(storage.requests.map(\.uri) == ["/signed?x=%2F1"])
                #expect(storage.requests.allSatisfy { $0.authorization == nil })
            }
        }
    }

    @Test("A challenge of the host that a blob is redirected to is not answered")
    func challengeElsewhere() async throws {
        try await ScriptedRegistry.with { storage in
            try await ScriptedRegistry.with { registry in
                storage.answer { _ in Answer(401, [("www-authenticate", "Basic realm=\"x\"")]) }
                let place = "\(storage.origin)/x"
                registry.answer { _ in Answer(307, [("location", place)]) }
                try await withCredentials(for: [registry.host, storage.host]) { credentials in
                    try await withClient(RegistryConfiguration(credentials: credentials)) { client throws in
                        #expect(await failure { _ = try await client.blob(blob, of: registry.repository("web")) }?.code == .unauthorized)
                    }
                }
                #expect((registry.requests + storage.requests).allSatisfy { $0.authorization == nil })
            }
        }
    }

    @Test("A redirect of a manifest is not followed")
    func redirectedManifest() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { request in request.uri.hasPrefix("/v2/") ? Answer(302, [("location", "/other")]) : Answer(200) }
            try await withClient { client throws in
                #expect(
                    await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) }?.message
                        == "The registry at \(registry.origin) redirects a request that is not for a blob (status 302). That is not followed."
                )
                #expect(registry.requests.count == 1)
            }
        }
    }

    @Test(
        "A redirect to another scheme, and one without end, are refused",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "http://me:hidden@127.0.0.1/x", "//", "http://", "/again",
        ])
    func badRedirects(location: String) async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(307, [("location", location)]) }
            try await withClient { client throws in
                #expect(await failure { _ = try await client.blob(blob, of: registry.repository("web")) }?.code == .badAnswer)
            }
        }
    }

    @Test("An upload is not sent to another server")
    func uploadElsewhere() async throws {
        try await ScriptedRegistry.with { storage in
            try await ScriptedRegistry.with { registry in
                let place = "\(storage.origin)/upload"
                registry.answer { $0.method == "POST" ? Answer(202, [("location", place)]) : Answer(404) }
                try await withClient { client in
                    let found = await failure { try await client.upload(blob, to: registry.repository("web"), BytesContent(bytes)) }
                    #expect(
                        found?.message
                            == "The registry at \(registry.origin) names for an upload an address of another server, \(storage.origin).")
                }
                #expect(storage.requests.isEmpty)
            }
        }
    }

    @Test("A chunk that fails is continued at the place that the registry reports")
    func chunkFails() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { request in
                switch request.method {
                case "HEAD": Answer(404)
                case "POST": Answer(202, [("location", "/upload?state=1")])
                case "PATCH" where request.number == 1: Answer(503)
                case "GET": Answer(204, [("location", "/upload?state=1"), ("range", "0-4")])
                case "PATCH": Answer(202, [("location", "/upload?state=1")])
                default: Answer(201)
                }
            }
            var configuration = RegistryConfiguration()
            configuration.limits.chunkBytes = 10
            try await withClient(configuration) { client throws in
                #expect(try await client.upload(blob, to: registry.repository("web"), BytesContent(bytes)) == .uploaded)
            }
            let ranges = registry.requests.filter { $0.method == "PATCH" }.map { $0.headers["content-range"] }
            #expect(ranges == ["0-9", "5-14", "15-20"])
            #expect(registry.requests.last?.uri == "/upload?state=1&digest=\(blob.digest)")
        }
    }

    // MARK: Token services

    @Test("A token is fetched for the scope, used, and kept until it expires")
    func token() async throws {
        try await ScriptedRegistry.with { registry in
            let document = SmallImage().document
            let realm = "\(registry.origin)/token"
            registry.answer { request in
                if request.uri.hasPrefix("/token") {
                    return Answer(200, text: #"{"token":"T\#(request.number)","expires_in":300}"#)
                }
                return request.authorization?.hasPrefix("Bearer T") ?? false
                    ? Answer(200, [("content-type", document.mediaType.rawValue)], .bytes(document.bytes))
                    : Answer(401, [("www-authenticate", "Bearer realm=\"\(realm)\",service=\"a b\",scope=\"ignored\"")])
            }
            try await withCredentials(for: [registry.host]) { credentials in
                try await withClient(RegistryConfiguration(credentials: credentials)) { client in
                    for _ in 1...3 { _ = try await client.manifest(ImageReference(registry.repository("team/web"))) }
                }
            }
            let tokens = registry.requests.filter { $0.uri.hasPrefix("/token") }
            #expect(tokens.map(\.uri) == ["/token?service=a%20b&scope=repository:team/web:pull"])
            #expect(tokens.first?.authorization == basic)
            #expect(registry.requests.count == 5)
            #expect(registry.requests.filter { $0.authorization == basic }.count == 1)
        }
    }

    @Test("A token that is not accepted is replaced once")
    func refusedToken() async throws {
        try await ScriptedRegistry.with { registry in
            let realm = "\(registry.origin)/token"
            registry.answer { request in
                request.uri.hasPrefix("/token")
                    ? Answer(200, text: #"{"access_token":"T"}"#) : Answer(401, [("www-authenticate", "Bearer realm=\"\(realm)\"")])
            }
            try await withClient { client throws in
                #expect(await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) }?.code == .unauthorized)
                #expect(registry.requests.count == 3)
            }
        }
    }

    @Test("Credentials are not sent to a token service in another domain, unless the configuration lists it")
    func foreignRealm() async throws {
        try await ScriptedRegistry.with { service in
            try await ScriptedRegistry.with { registry in
                service.answer { _ in Answer(200, text: #"{"token":"T"}"#) }
                let realm = service.origin.replacing("127.0.0.1", with: "localhost") + "/token"
                let document = SmallImage().document
                registry.answer { request in
                    request.authorization == "Bearer T"
                        ? Answer(200, [("content-type", document.mediaType.rawValue)], .bytes(document.bytes))
                        : Answer(401, [("www-authenticate", "Bearer realm=\"\(realm)\"")])
                }
                try await withCredentials(for: [registry.host]) { credentials in
                    try await withClient(RegistryConfiguration(credentials: credentials)) { client throws in
                        #expect(
                            await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) }?.code == .denied)
                    }
                    #expect(service.requests.isEmpty)
                    try await withClient(RegistryConfiguration(tokenHosts: ["localhost"], credentials: credentials)) { client throws in
                        #expect(try await client.manifest(ImageReference(registry.repository("web"))) == document)
                    }
                }
                #expect(service.requests.map(\.authorization) == [basic])
            }
        }
    }

    @Test(
        "A token service that cannot be used, and a token that would change the request, are refused",
        arguments: [
            ("file:///etc/passwd", "T"), ("ftp://127.0.0.1/token", "T"), ("http://", "T"), ("/token", "T\\r\\nX: y"), ("/token", ""),
            ("/token", "T T"), ("/token", "\\u0000"),
        ])
    func badTokens(realm: String, token: String) async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { request in
                request.uri.hasPrefix("/token")
                    ? Answer(200, text: #"{"token":"\#(token)","expires_in":1e300}"#)
                    : Answer(401, [("www-authenticate", "Bearer realm=\"\(realm)\"")])
            }
            try await withClient { client throws in
                #expect(await failure { _ = try await client.manifest(ImageReference(registry.repository("web"))) }?.code == .badAnswer)
            }
        }
    }

    @Test("A document of errors is shown in part, and printable")
    func errors() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer { _ in Answer(403, text: #"{"errors":[{"code":"DENIED","message":"no\u001b[2J access"}]}"#) }
            try await withClient { client throws in
                #expect(
                    await failure { _ = try await client.manifest(ImageReference(registry.repository("team/web"))) }?.message
                        == "The registry at \(registry.origin) does not allow this service to read team/web (status 403): "
                        + "DENIED noU+001B[2J access.")
            }
        }
    }
}
