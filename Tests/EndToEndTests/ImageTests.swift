import ComposeModel
import Foundation
import SystemPackage
import Testing

/// ISO images of a compose's trees.
@Suite(.sharedService, .timeLimit(.minutes(5))) struct ImageTests {
    @Test("an image of each architecture's tree holds that tree, has a checksum file beside it and an entry that productmd reads")
    func images() async throws {
        let compose = try await SharedService.compose("libed", "--arch=x86_64", "--arch=aarch64", "--result=iso")
        #expect(compose.state == "done", "\(compose.reason)")
        #expect(compose.document.results == ["repository", "iso"])
        for arch in ["x86_64", "aarch64"] {
            let directory = compose.repository(arch).appending("iso")
            let image = directory.appending("\(compose.layout.directory)-\(arch).iso")
            let checked = try await Program.run(["sh", "-c", "cd \(directory) && sha256sum --check --strict SHA256SUM"])
            #expect(checked.isSuccess, "\(checked)")
            let extracted = try TemporaryDirectory()
            defer { extracted.remove() }
            let read = try await Program.run(
                ["xorriso", "-no_rc", "-osirrox", "on", "-indev", image.string, "-extract", "/", extracted.path.string])
            #expect(read.isSuccess, "\(read)")
            #expect(try FinishedCompose.files(below: extracted.path) == FinishedCompose.files(below: compose.repository("\(arch)/os")))
            let compared = try await Program.run(["diff", "-r", extracted.path.string, compose.repository("\(arch)/os").string])
            #expect(compared.isSuccess, "\(compared)")
        }
        struct Image: Decodable, Equatable {
            let path: String
            let type: String
            let format: String
        }
        let images: [String: [Image]] = try await PythonScript.readImages.run(compose.directory.string)
        #expect(images.keys.sorted() == ["aarch64", "x86_64"])
        #expect(
            images["x86_64"] == [
                Image(path: "Temporary/x86_64/iso/\(compose.layout.directory)-x86_64.iso", type: "dvd", format: "iso")
            ])
    }

    @Test("images that only Pungi can make are refused with those that are possible", arguments: ["boot.iso", "ostree"])
    func refused(result: String) async throws {
        let answer = try await SharedService.current.server.post(
            "{\"source\": {\"type\": \"repo\", \"source\": \"\(Checkout.testsRepo)\"}, \"results\": [\"\(result)\"]}")
        #expect(answer.status == 400)
        #expect(
            try answer.message == "results[0] is \"\(result)\", which is not allowed by this server; these are possible: repository, iso."
                || answer.message
                    == "results[0] is \"\(result)\", which is not allowed by this server; these are possible: iso, repository."
        )
    }
}
