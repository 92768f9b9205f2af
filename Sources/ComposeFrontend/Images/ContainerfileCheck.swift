import Containerfiles
import ImageModel
import NIOPosix

/// A Containerfile check finds what cannot be built before anything runs: mistakes, refused
/// instructions, and images of registries that are not allowed.
///
/// The Containerfile of a git repository is checked by the worker, which fetches it.
struct ContainerfileCheck: Sendable {
    /// The most problems that one answer names.
    private static let mostProblems = 10

    let service: ImageService

    /// - Parameter place: The name of the Containerfile in messages, if it is a text of the request.
    func check(_ definition: ImageDefinition, in place: String = "definition.source.containerfile") async throws {
        // The worker makes the Containerfile of a component.
        if definition.artifact?.kind == .component { return }
        switch definition.source {
        case .containerfile(let text): try await check(text, in: place, definition)
        case .archive(let digest):
            let text = try await ContextStore(service: service).containerfile(of: digest)
            try await check(text, in: "The Containerfile of the context", definition)
        case .git: break
        }
    }

    /// - Parameter place: The name of the Containerfile in messages.
    private func check(_ text: String, in place: String, _ definition: ImageDefinition) async throws {
        // A long text is not read on the thread of the request.
        let problems = try await NIOThreadPool.singleton.runIfActive { () -> [ContainerfileProblem] in
            do throws(ContainerfileProblem) {
                return try self.problems(in: Containerfile(text, dialect: .ofService), definition)
            } catch {
                return [error]
            }
        }
        guard !problems.isEmpty else { return }
        let shown = problems.prefix(Self.mostProblems).map(\.description)
        let more = problems.count > shown.count ? ["\(problems.count - shown.count) more"] : []
        throw RequestRejection.badRequest("\(place) cannot be built. \((shown + more).map { "\($0)." }.joined(separator: " "))")
    }

    private func problems(
        in file: Containerfile, _ definition: ImageDefinition
    ) throws(ContainerfileProblem) -> [ContainerfileProblem] {
        let rules = ContainerfileRules(network: definition.network == .host ? .host : .none)
        var problems: [ContainerfileProblem] = []
        var known: Set<ContainerfileProblem> = []
        for platform in definition.platforms {
            let arguments = BuildArguments(definition.arguments, platform: platform)
            var found = rules.problems(in: file, arguments: arguments)
            for image in try file.imagesNamed(arguments: arguments, contexts: rules.contexts) {
                let host = image.reference.repository.host
                guard !service.allows(host) else { continue }
                found.append(ContainerfileProblem(line: image.line, refusal(of: image.reference)))
            }
            // The platforms differ in few values, so most problems are the same.
            for problem in found where known.insert(problem).inserted { problems.append(problem) }
        }
        return problems.sorted { $0.line < $1.line }
    }

    private func refusal(of image: ImageReference) -> String {
        let allowed = Set([service.namespace.host.description] + service.allowedRegistries.map(\.description)).sorted()
        return
            "the image \(image.familiarName) is of the registry \(image.repository.host), which is not allowed. Images come from "
            + "\(allowed.joined(separator: ", ")). The setting images.allowed_registries allows others"
    }
}
