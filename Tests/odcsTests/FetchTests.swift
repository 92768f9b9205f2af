import Foundation
import ImageModel
import ImageTestKit
import Subprocess
import SystemPackage
import Testing

@testable import odcs

/// The built command with a registry.
@Suite("odcs fetch")
struct FetchTests {
    private static let command = FilePath(
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "odcs").path)
    private static let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Runs `body` with a registry that has the image `web:1`, and an empty directory.
    private static func withImage(_ body: (ScriptedRegistry, SmallImage, FilePath) async throws -> Void) async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-fetch-\(UUID())")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        try await ScriptedRegistry.with { registry in
            let image = SmallImage()
            registry.answer { request in
                if ["1", "\(image.document.digest)"].contains(where: { request.uri == "/v2/web/manifests/\($0)" }) {
                    return .init(200, [("content-type", image.document.mediaType.rawValue)], .bytes(image.document.bytes))
                }
                let blob = image.blobs.first { request.uri == "/v2/web/blobs/\($0.descriptor.digest)" }
                return blob.map { .init(200, [], .bytes($0.bytes)) } ?? .init(404)
            }
            try await body(registry, image, directory)
        }
    }

    private static func odcs(_ arguments: [String], in directory: FilePath, environment: [String: String] = [:]) async throws -> (
        status: TerminationStatus, out: String, err: String
    ) {
        let variables = environment.merging(["HOME": directory.string, "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""]) { own, _ in own }
        let result = try await Subprocess.run(
            .path(command), arguments: Arguments(arguments),
            environment: .inherit.updating(Dictionary(uniqueKeysWithValues: variables.map { (.init(stringLiteral: $0), $1) })),
            workingDirectory: directory, output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        return (result.terminationStatus, result.standardOutput, result.standardError)
    }

    @Test("without a digest it warns with the line to write, fails if that is asked for, or is silent")
    func checksums() async throws {
        try await Self.withImage { registry, image, directory in
            let address = "\(try registry.host)/web:1"
            let line = "docker://\(try registry.host)/web;digest=\(image.document.digest);tag=1"
            let warned = try await Self.odcs(["fetch", address, "--insecure"], in: directory)
            #expect(warned.status == .exited(0))
            #expect(warned.err.contains(line))
            #expect(FileManager.default.fileExists(atPath: directory.appending("\(try registry.host).web:1.zst").string))
            let silent = try await Self.odcs(["fetch", address, "--insecure", "--checksum", "ignore"], in: directory)
            #expect(silent.status == .exited(0))
            #expect(!silent.err.contains("digest"))
            let strict = try await Self.odcs(["fetch", address, "--insecure"], in: directory, environment: ["BB_STRICT_CHECKSUM": "1"])
            #expect(strict.status == .exited(1))
            #expect(strict.err.contains(line))
            let pinned = try await Self.odcs(["fetch", line, "--insecure", "--checksum", "strict"], in: directory)
            #expect(pinned.status == .exited(0))
            #expect(pinned.err.isEmpty || !pinned.err.contains("digest"))
        }
    }

    @Test("a wrong digest fails with 1, and the cache stays as it was")
    func wrongDigest() async throws {
        try await Self.withImage { registry, _, directory in
            let run = try await Self.odcs(["fetch", "\(try registry.host)/web@\(ImageDigest(of: [1]))", "--insecure"], in: directory)
            #expect(run.status == .exited(1))
            let files = FileManager.default.enumerator(atPath: directory.appending(".cache").string)?.compactMap { $0 as? String } ?? []
            #expect(!files.contains { $0.hasSuffix(".zst") || $0.hasSuffix(".json") || $0.hasSuffix(".part") })
        }
    }

    @Test("a registry without TLS is used only if that is asked for or configured")
    func insecure() async throws {
        try await Self.withImage { registry, _, directory in
            let address = "\(try registry.host)/web:1"
            let refused = try await Self.odcs(["fetch", address], in: directory)
            #expect(refused.status == .exited(2))
            try FileManager.default.createDirectory(atPath: directory.appending(".config").string, withIntermediateDirectories: true)
            try Data("[registries]\ninsecure = [\"\(try registry.host)\"]\n".utf8)
                .write(to: URL(filePath: directory.appending(".config/odcs.toml").string))
            let done = try await Self.odcs(["fetch", address, "--checksum", "ignore", "--json"], in: directory)
            #expect(done.status == .exited(0))
            #expect(done.out.contains("\"delivery\": \"hardLink\""))
        }
    }

    @Test("bad arguments are explained", arguments: ["fetch", "fetch a:1 --arch ?", "fetch a:1 --format x", "fetch a b --unpack x"])
    func badArguments(arguments: String) async throws {
        let run = try await CommandRun.odcs(arguments.split(separator: " ").map(String.init))
        #expect(run.status == .usage)
        #expect(run.err.hasPrefix("odcs: "))
    }

    @Test("BitBake's fetcher gets an image into DL_DIR and its work directory, and names the digest")
    func bitBake() async throws {
        try await Self.withImage { registry, image, directory in
            let host = try registry.host
            func fetch(_ url: String, _ variables: [String] = []) async throws -> String {
                for name in ["dl", "work"] {
                    try FileManager.default.createDirectory(atPath: directory.appending(name).string, withIntermediateDirectories: true)
                }
                let scripts = Self.project.appending(path: "Tests/odcsTests/Scripts/bitbake.py").path
                let result = try await Subprocess.run(
                    .name("python3"),
                    arguments: Arguments(
                        [
                            scripts, Self.project.appending(path: "docs/bitbake").path, url, directory.appending("dl").string,
                            directory.appending("work").string, "PACKAGE_ARCH=\(Platform.host.debianArchitecture ?? "amd64")",
                            "ODCS_FETCH_OPTIONS=--insecure",
                        ] + variables),
                    environment: .inherit.updating([
                        "PATH": "\(Self.command.removingLastComponent()):/usr/local/bin:/usr/bin:/bin", "HOME": directory.string,
                    ]), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
                #expect(result.standardError == "")
                return result.standardOutput
            }
            let pinned = "docker://\(host)/web;digest=\(image.document.digest);tag=1"
            let path = try await fetch(pinned).trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(path.hasPrefix(directory.appending("dl").string))
            let links = try FileManager.default.attributesOfItem(atPath: path)[.referenceCount] as? Int
            #expect(links == 3)
            #expect(FileManager.default.fileExists(atPath: directory.appending("work/\(host).web:1.zst").string))
            #expect(try await fetch("docker://\(host)/web;tag=1").hasPrefix("warning: docker://\(host)/web;tag=1 has no digest."))
            #expect(try await fetch("docker://\(host)/web;tag=1").contains("SRC_URI = \"\(pinned)\""))
            let strict = try await fetch("docker://\(host)/web;tag=1", ["BB_STRICT_CHECKSUM=1"])
            #expect(strict.hasPrefix("NoChecksumError: "))
            #expect(strict.contains(pinned))
            #expect(try await fetch("docker://\(host)/web;tag=2").hasPrefix("FetchError: "))
            #expect(try await fetch("docker://\(host)/web;tag=2", ["BB_NO_NETWORK=1"]).contains("not in the cache"))
        }
    }
}
