import Foundation
import SystemPackage

/// A program of the folder `Scripts`: what other people's Python libraries say of what the service has written.
enum PythonScript: String {
    case readRepoFile = "read_repo_file.py"
    case readCompose = "read_compose.py"
    case readImages = "read_images.py"
    case dnfInstallable = "dnf_installable.py"

    private var interpreter: String {
        switch self {
        // Debian's own, for which python3-dnf is installed.
        case .readRepoFile, .dnfInstallable: "/usr/bin/python3"
        // That of scripts/bootstrap, which has productmd.
        case .readCompose, .readImages: Checkout.directory.appending(".build-venv/bin/python3").string
        }
    }

    /// Runs it and decodes the JSON that it prints.
    func run<Answer: Decodable>(_ arguments: String...) async throws -> Answer { try await run(arguments) }

    func run<Answer: Decodable>(_ arguments: [String]) async throws -> Answer {
        let script = Checkout.directory.appending("Tests/EndToEndTests/Scripts").appending(rawValue)
        let program = try await Program.run([interpreter, script.string] + arguments)
        guard program.isSuccess else { throw program }
        return try JSONDecoder().decode(Answer.self, from: Data(program.output.utf8))
    }
}
