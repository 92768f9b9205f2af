import ComposeModel
import Modules
import NIOPosix

/// A modulemd document of a module in Koji, and what an explanation calls it.
struct KojiModuleDocument: Sendable {
    let module: NSVC
    /// Where it is: "the build N-V-R in Koji".
    let place: String
    /// Its file's name, or that of the member of the build's data.
    let name: String

    /// - Parameter build: name, version and release.
    init(of module: NSVC, build: String, name: String) { self.init(of: module, in: "the build \(build) in Koji", name: name) }

    init(of module: NSVC, in place: String, name: String) {
        self.module = module
        self.place = place
        self.name = name
    }

    /// The one stream that it describes, which has to be the module.
    ///
    /// - Parameter arch: the architecture that it is for; `nil`: as it says.
    ///
    /// Throws `.metadataCorrupt`, naming all of the above.
    func stream(in yaml: String, arch: String?) async throws(ComposeFailure) -> ModuleStream {
        try await NIOThreadPool.singleton.run(canceled: .canceled) { () throws(ComposeFailure) in
            let metadata: ModuleMetadata
            do throws(ModuleMetadataError) { metadata = try ModuleMetadata(yaml: yaml) } catch { throw unusable(error.clause) }
            return try stream(in: metadata, arch: arch)
        }
    }

    /// The same, where it was read already.
    func stream(in metadata: ModuleMetadata, arch: String?) throws(ComposeFailure) -> ModuleStream {
        guard let written = metadata.streams.first, metadata.streams.count == 1 else {
            throw unusable("it describes \(metadata.streams.count) modules instead of one")
        }
        let stream: ModuleStream
        do { stream = try written.completed(context: module.context, arch: arch) } catch { throw unusable(error.clause) }
        guard stream.id == module else { throw unusable("it describes the module \(stream.id)") }
        return stream
    }

    /// The file could not be read.
    func unreadable(_ problem: TransferProblem) -> ComposeFailure {
        if let failure = problem.commonFailure("The document \(name) of the module \(module) (\(place))") { return failure }
        switch problem {
        case .overLimit: return unusable(problem.reason, .limitExceeded)
        case .truncated(_, _, wasCut: true): return unusable(problem.reason, .metadataCorrupt, isTransient: true)
        default: return unusable(problem.reason, .sourceNotUsable)
        }
    }

    /// - Parameter reason: what follows a colon, without a full stop.
    func unusable(_ reason: String, _ code: ComposeFailure.Code = .metadataCorrupt, isTransient: Bool = false) -> ComposeFailure {
        ComposeFailure(
            code, "The document \(name) of the module \(module) (\(place)) cannot be used: \(reason).",
            details: [.init(package: module.description, text: "\(place), \(name): \(reason)")], isTransient: isTransient)
    }
}
