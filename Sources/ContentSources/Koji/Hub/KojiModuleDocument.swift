import ComposeModel
import Modules
import NIOPosix

/// A modulemd document of a module in Koji, with its name for error messages.
struct KojiModuleDocument: Sendable {
    let module: NSVC
    /// The place of the document, for example "the build N-V-R in Koji".
    let place: String
    /// The name of the document's file, or of the member of the build's data.
    let name: String

    /// - Parameter build: Name, version and release of the build.
    init(of module: NSVC, build: String, name: String) { self.init(of: module, in: "the build \(build) in Koji", name: name) }

    init(of module: NSVC, in place: String, name: String) {
        self.module = module
        self.place = place
        self.name = name
    }

    /// Returns the one stream that the document describes, which must be the stream of the module.
    /// - Parameter arch: The architecture that the document is for. `nil` keeps the document's own.
    ///
    /// Throws `.metadataCorrupt` with the names of module, place and document.
    func stream(in yaml: String, arch: String?) async throws(ComposeFailure) -> ModuleStream {
        try await NIOThreadPool.singleton.run(canceled: .canceled) { () throws(ComposeFailure) in
            let metadata: ModuleMetadata
            do throws(ModuleMetadataError) { metadata = try ModuleMetadata(yaml: yaml) } catch { throw unusable(error.clause) }
            return try stream(in: metadata, arch: arch)
        }
    }

    /// Returns the same for a document that is already parsed.
    func stream(in metadata: ModuleMetadata, arch: String?) throws(ComposeFailure) -> ModuleStream {
        guard let written = metadata.streams.first, metadata.streams.count == 1 else {
            throw unusable("it describes \(metadata.streams.count) modules instead of one")
        }
        let stream: ModuleStream
        do { stream = try written.completed(context: module.context, arch: arch) } catch { throw unusable(error.clause) }
        guard stream.id == module else { throw unusable("it describes the module \(stream.id)") }
        return stream
    }

    /// Returns the failure for a file that could not be read.
    func unreadable(_ problem: TransferProblem) -> ComposeFailure {
        if let failure = problem.commonFailure("The document \(name) of the module \(module) (\(place))") { return failure }
        switch problem {
        case .overLimit: return unusable(problem.reason, .limitExceeded)
        case .truncated(_, _, wasCut: true): return unusable(problem.reason, .metadataCorrupt, isTransient: true)
        default: return unusable(problem.reason, .sourceNotUsable)
        }
    }

    /// - Parameter reason: The text after a colon, without a full stop.
    func unusable(_ reason: String, _ code: ComposeFailure.Code = .metadataCorrupt, isTransient: Bool = false) -> ComposeFailure {
        ComposeFailure(
            code, "The document \(name) of the module \(module) (\(place)) cannot be used: \(reason).",
            details: [.init(package: module.description, text: "\(place), \(name): \(reason)")], isTransient: isTransient)
    }
}
