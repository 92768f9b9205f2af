import AsyncHTTPClient
import Foundation
import ImageModel
import ImageTestKit
import NIOCore
import NIOHTTP1
import SystemPackage
import Testing

/// The artifact API of a whole service, as programs use it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ArtifactTests {
    /// An answer of the artifact API.
    private struct Artifact: Decodable {
        let status: String
        let errorMessage: String
        let build: Int?
        let imageName: String?
        let component: String?
    }

    private static func ask(_ url: String, _ configure: (inout HTTPClientRequest) -> Void = { _ in }) async throws -> (UInt, [UInt8]) {
        var request = HTTPClientRequest(url: url)
        configure(&request)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return (response.status.code, Array(try await response.body.collect(upTo: 1 << 24).readableBytesView))
    }

    private static func artifact(_ url: String, _ configure: (inout HTTPClientRequest) -> Void = { _ in }) async throws -> (UInt, Artifact)
    {
        let (status, bytes) = try await ask(url, configure)
        return (status, try JSONDecoder().decode(Artifact.self, from: Data(bytes)))
    }

    private static func form(_ fields: [(String, String)]) -> String {
        fields.map { "--x\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }.joined() + "--x--\r\n"
    }

    @Test("an image is built from a form, a component by the instructions of its repository, and GET sends the archive")
    func whole() async throws {
        let git = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-git-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(atPath: git.string) }
        try FileManager.default.createDirectory(atPath: git.string, withIntermediateDirectories: true)
        let asyn = try await GitFolder(git.appending("asyn"))
        try await asyn.commit(
            ["config.yaml": "build: {command: mkdir bin; cat source > bin/asyn}\nartifacts: [bin]\n", "source": "one\n"], tag: "R4.39")
        let settings = "artifacts: {environments: {small: team/base}, git: [\"file://\(git)\"]}"
        try await ImageService.with(more: settings) { images in
            try await images.serve { server in
                let base = try await images.base(server)
                let address = server.url

                let containerfile = "FROM \(base)\nRUN echo text > /text\n"
                let body = Self.form([
                    ("dockerfile", containerfile), ("component", "mps"), ("branch", "main"), ("architecture", "rocky9"),
                ])
                let (accepted, posted) = try await Self.artifact("\(address)/image") { request in
                    request.method = .POST
                    request.headers.add(name: "content-type", value: "multipart/form-data; boundary=x")
                    request.headers.add(name: "linux_username", value: "me")
                    request.body = .bytes(ByteBuffer(string: body))
                }
                #expect(accepted == 202 && posted.status == "building" && posted.errorMessage == "")
                _ = try await images.await(build: try #require(posted.build)) { $0.state.isFinal }
                let (found, image) = try await Self.artifact("\(address)/image?component=mps&branch=main&architecture=rocky9")
                #expect(found == 200 && image.status == "done", "\(image)")
                let name = try #require(image.imageName)
                #expect(name.hasPrefix("\(images.registry.host)/mps-main-image:rocky9-20"))
                let tag = try #require(name.split(separator: ":").last.map(String.init))
                #expect(try await images.digest("mps-main-image", tag: tag) != nil)

                let component = "\(address)/component?component=asyn&tag=R4.39&architecture=small"
                let (building, started) = try await Self.artifact(component)
                #expect(building == 202 && started.status == "building", "\(started)")
                let done = try await images.await(build: try #require(started.build)) { $0.state.isFinal }
                #expect(done.state == .done, "\(done.stateReason ?? "")")
                let (_, shown) = try await Self.artifact(component)
                let (sent, archive) = try await Self.ask(try #require(shown.component))
                #expect(sent == 200)
                let file = git.appending("asyn.tar.gz")
                try Data(archive).write(to: URL(filePath: file.string))
                let list = try await Program.run(["tar", "--list", "--gzip", "--file", file.string])
                #expect(list.isSuccess && list.output == "bin/\nbin/asyn\n", "\(list)")

                // The artifacts of one repository differ by their tags.
                #expect(try await Self.artifact(component.replacing("R4.39", with: "R5")).0 == 202)
                let many = try await server.odcs("image", "get", "asyn-component")
                #expect(!many.isSuccess)
                #expect(many.complaints.contains("can mean \(images.registry.host)/asyn-component ("), "\(many)")
                let one = try await server.odcs("image", "get", "asyn-component:small-R4.39")
                #expect(one.isSuccess && one.output.contains("small-R4.39"), "\(one)")
            }
        }
    }
}
