import ArgumentParser
import ForeignText
import Foundation
import ImageModel
import Registry
import SystemPackage

/// The command `odcs image verify`.
struct ImageVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check how an image was made, by its registry alone.",
        discussion: """
            The service attaches a statement to each image that it builds. The command reads it
            from the registry, and compares it with the image. No service is asked.

            Anyone who can push to the repository can write a statement. With --key, only one
            that was signed by the service's key counts.

            The exit status is 1 if something does not fit.

            EXAMPLES
              odcs image verify registry.example.org/team/web:latest
              odcs image verify registry.example.org/team/web@sha256:… --key odcs.pub
            """)

    @Argument(help: "The image, with its registry. Without a tag and a digest, the tag is latest.")
    var image: String
    @Option(help: ArgumentHelp("A file with the public key of the service, as PEM.", valueName: "file"))
    var key: String?
    @Flag(help: "Speak to a registry on this host without TLS.")
    var insecure = false
    // --json is one of these options. The others are of no use here.
    @OptionGroup(visibility: .hidden) var connection: ConnectionOptions

    func run() async throws {
        let console = Console.current
        let reference: ImageReference
        do throws(ImageProblem) { reference = try ImageReference(image) } catch { throw CommandFailure(.usage, error.description) }
        let key = try key.map { try Self.publicKey($0, console) }
        let settings = try RegistrySettings.current(in: console, isLoopbackInsecure: insecure)
        let proof: ImageProof
        do {
            proof = try await settings.withClient(in: console) { registry in
                try await ImageProof.Reader(registry: registry, key: key).proof(of: reference)
            }
        } catch let failure as RegistryFailure {
            throw CommandFailure(.error, failure.description)
        } catch let problem as ImageProblem {
            throw CommandFailure(.error, problem.description)
        }
        try connection.print(proof, or: proof.text)
        guard proof.problems.isEmpty else { throw CommandFailure(.composeFailed) }
    }

    private static func publicKey(_ file: String, _ console: Console) throws -> ProvenancePublicKey {
        guard let content = FileManager.default.contents(atPath: console.path(file).string) else {
            throw CommandFailure(.error, "the file \(file.quoted) cannot be read; --key needs the public key of the service as PEM")
        }
        do throws(ImageProblem) {
            return try ProvenancePublicKey(pem: String(decoding: content.prefix(1 << 16), as: UTF8.self))
        } catch {
            throw CommandFailure(.error, "the file \(file.quoted) cannot be used. \(error.description)")
        }
    }
}
