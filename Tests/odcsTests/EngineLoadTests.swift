import Foundation
import ImageModel
import ImageTestKit
import SystemPackage
import Testing

@testable import odcs

@Suite("odcs load with a real engine", .timeLimit(.minutes(3)))
struct EngineLoadTests {
    @Test("an image that was fetched gets into podman, is skipped the second time, and its archive can be deleted")
    func load() async throws {
        try await TestRegistry.with { registry in
            try await TestPodman.with { podman in
                let image = SmallImage(files: [("hello.txt", Array("hello\n".utf8))])
                let reference = "\(registry.host)/team/app:1"
                try image.writeLayout(to: URL(filePath: podman.directory.appending("layout").string), tag: "1")
                let copy = try await podman.run(
                    "skopeo",
                    [
                        "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false", "oci:\(podman.directory)/layout:1",
                        "docker://\(reference)",
                    ])
                #expect(copy.isSuccess, "\(copy.err)")
                let environment = podman.environment
                @Sendable func odcs(_ arguments: [String]) async throws -> CommandRun {
                    try await CommandRun.odcs(arguments, environment: environment)
                }
                let (cache, work) = ("\(podman.directory)/cache", "\(podman.directory)/work")
                let fetched = try await odcs(
                    ["fetch", "docker://\(registry.host)/team/app;digest=\(image.document.digest);tag=1", "--insecure", "--cache", cache]
                        + ["--into", work])
                #expect(fetched.status == .success, "\(fetched.err)")
                let file = try #require(try FileManager.default.contentsOfDirectory(atPath: work).first)
                // The name in the cache is a second one of the same file.
                let links = try FileManager.default.attributesOfItem(atPath: "\(work)/\(file)")[.referenceCount] as? Int
                #expect(links == 2)
                try await podman.withService { socket in
                    func engine(_ arguments: String...) async throws -> String {
                        try await podman.run("podman", ["--remote", "--url", "unix://\(socket)"] + arguments).out
                    }
                    let load = ["load", "\(work)/\(file)", "--socket", socket.string]
                    let first = try await odcs(load)
                    #expect(first.status == .success, "\(first.err)")
                    #expect(first.out == "\(reference) is loaded\n")
                    #expect(try await engine("images", "--format", "{{.Repository}}:{{.Tag}}") == "\(reference)\n")
                    let id = ImageDigest(of: image.configuration)
                    #expect(try await engine("image", "inspect", "--format", "{{.Id}}", reference) == "\(id.hex)\n")
                    let second = try await odcs(load + ["--delete"])
                    #expect(second.out == "\(reference) is there already, and \(work)/\(file) is deleted\n")
                    #expect(!FileManager.default.fileExists(atPath: "\(work)/\(file)"))
                    // The archive in the cache stays, and the engine refuses a file that is none.
                    let garbage = podman.directory.appending("garbage.zst")
                    try "no archive".write(toFile: garbage.string, atomically: true, encoding: .utf8)
                    #expect(try await odcs(["load", garbage.string, "--socket", socket.string]).status == .error)
                }
                let gone = try await odcs(["load", "\(work)/\(file)", "--socket", "\(podman.directory)/none.sock"])
                #expect(gone.status == .error)
            }
        }
    }
}
