import Components
import ComposeStore
import ForeignText
import Foundation
import ImageModel
import SystemPackage

/// A *component context* has the files of a component's repository, or of its archive, with the
/// Containerfile that builds the component.
struct ComponentContext {
    let source: ContextSource
    let store: ComposeStore

    private var log: StepLog { source.log }

    /// - Parameters:
    ///   - commit: The commit that an earlier attempt has used.
    ///   - directory: A directory that does not exist yet.
    func fetch(
        _ artifact: Artifact, from place: ImageDefinition.Source, commit: String?, into directory: FilePath
    ) async throws -> ContextSource.Context {
        let files = directory.appending(ComponentContainerfile.source)
        switch place {
        case .archive(let digest):
            try await source.unpack(digest, into: files)
            return ContextSource.Context(containerfile: ComponentContainerfile.ofArchive, directory: directory, commit: nil)
        case .git(let url, let reference, _):
            let settings = try settings
            let commit = try await source.checkOut(
                url, commit ?? reference, named: "the component", allowing: settings, into: files)
            let containerfile = try await containerfile(for: artifact, in: files, settings)
            return ContextSource.Context(containerfile: containerfile, directory: directory, commit: commit)
        case .containerfile:
            throw BuildFailure(.internal, "A component comes from a git repository or an archive, and not from a Containerfile.")
        }
    }

    private var settings: ArtifactSettings {
        get throws {
            guard let settings = source.configuration.artifacts else {
                throw BuildFailure(.badContainerfile, "This worker builds no components: it has no settings for artifacts.")
            }
            return settings
        }
    }

    private func containerfile(for artifact: Artifact, in files: FilePath, _ settings: ArtifactSettings) async throws -> String {
        guard let environment = settings.environments[artifact.environment] else {
            throw BuildFailure(
                .badContainerfile,
                "This worker has no environment for \(artifact.environment). The setting artifacts.environments has "
                    + "\(settings.environments.keys.sorted().joined(separator: ", ")).")
        }
        do {
            let (instructions, file) = try instructions(in: files)
            if let names = instructions.environments, !names.contains(artifact.environment) {
                throw ComponentProblem(
                    file: file,
                    "the component is for \(names.joined(separator: ", ").printable(most: 200)), and not for \(artifact.environment)")
            }
            let dependencies = try await dependencies(of: instructions, in: file, artifact.environment, settings)
            let text = ComponentContainerfile.text(
                instructions, component: artifact.component, environment: environment.withDefaultTag, dependencies: dependencies)
            for line in text.split(separator: "\n") { log.note("Containerfile: \(line)") }
            return text
        } catch let problem as ComponentProblem {
            throw BuildFailure(.badContainerfile, "The instructions of the component cannot be used. \(problem.description)")
        }
    }

    private func instructions(in files: FilePath) throws(ComponentProblem) -> (ComponentInstructions, file: String) {
        for name in ComponentInstructions.fileNames {
            let text: String?
            do {
                text = try source.text(of: files.appending(name), most: ComponentInstructions.mostBytes, named: name)
            } catch {
                throw ComponentProblem(file: name, "the file cannot be read, or has more than \(ComponentInstructions.mostBytes) bytes")
            }
            if let text { return (try ComponentInstructions(text, file: name), name) }
        }
        throw ComponentProblem(
            file: ComponentInstructions.fileNames[0],
            "the repository has neither \(ComponentInstructions.fileNames.joined(separator: " nor ")) at its top, so nothing says how it is built"
        )
    }

    /// Returns the images of the dependencies. They are named by their tags, so the digests are pinned like
    /// those of other images.
    private func dependencies(
        of instructions: ComponentInstructions, in file: String, _ environment: String, _ settings: ArtifactSettings
    ) async throws -> [(name: String, image: ImageReference)] {
        var found: [(name: String, image: ImageReference)] = []
        for dependency in instructions.dependencies {
            func problem(_ text: String) -> ComponentProblem { ComponentProblem(file: file, line: dependency.line, text) }
            let (artifact, repository, tag): (Artifact, ImageRepository, ImageTag)
            do throws(ImageProblem) {
                artifact = try Artifact(
                    .component, component: dependency.component, version: dependency.tag, environment: environment)
                (repository, tag) = (try settings.repository(of: artifact), try ImageTag(artifact.movingTag))
            } catch {
                throw problem("the dependency \(dependency.component.quoted) cannot be used: \(error.description.dropLast())")
            }
            guard let image = try await store.image(named: repository, artifact: artifact), image.definition.artifact == artifact,
                try await store.newestBuilds(of: image.id).done != nil
            else {
                throw problem(
                    "the dependency \(dependency.component) with the tag \(dependency.tag) is not built for \(environment). "
                        + "Ask for it with POST /component first")
            }
            found.append((dependency.component, ImageReference(repository, tag: tag)))
        }
        return found
    }
}
