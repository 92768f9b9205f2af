import BuildNodes
import ComposeModel
import Containerfiles
import ImageArchive
import ImageModel
import Registry

/// The failures of other parts as failures of a step.
extension BuildFailure {
    /// - Parameter attempt: The number of the attempt. Some failures are repeated once.
    init(_ failure: NodeFailure, attempt: Int) {
        let code: Code =
            switch failure.kind {
            case .instruction, .packagesNotFound, .noEmulator: .buildFailed
            case .containerfile: .badContainerfile
            case .baseGone: .baseNotFound
            case .registryDown: .registryUnreachable
            case .registryRefuses: .registryRefused
            case .diskFull, .imageLost: .storage
            case .timeLimit, .logLimit, .memoryLimit, .memoryMissing: .limitExceeded
            case .nodeLost: .nodeLost
            case .node: .internal
            }
        let isTransient =
            switch failure.retry {
            case .never: false
            case .once: attempt <= 1
            case .later: true
            }
        self.init(code, failure.sentence, log: failure.lastLines, isTransient: isTransient)
    }

    init(_ failure: RegistryFailure) {
        let code: Code =
            switch failure.code {
            case .unreachable: .registryUnreachable
            case .unauthorized, .denied, .badCredentials, .rejected, .badAnswer, .notFound, .contentMissing: .registryRefused
            case .mismatch: .digestMismatch
            case .limitExceeded: .limitExceeded
            case .unreadableContent: .storage
            case .canceled: .canceled
            }
        self.init(code, failure.message, isTransient: failure.isTransient)
    }

    init(_ problems: [ContainerfileProblem]) {
        let list = problems.prefix(20).map(\.description).joined(separator: "; ")
        self.init(.badContainerfile, "The Containerfile cannot be used: \(list)")
    }

    /// The failure of a context that comes from git.
    init(_ failure: ComposeFailure) {
        let code: Code =
            switch failure.code {
            case .limitExceeded: .limitExceeded
            case .storage: .storage
            default: failure.isTransient ? .registryUnreachable : .badContainerfile
            }
        self.init(code, failure.message, isTransient: failure.isTransient)
    }

    /// The failure of a context that was uploaded.
    init(_ error: ImageArchiveError) {
        switch error.code {
        case .io: self.init(.storage, "The context cannot be unpacked. \(error.message)", isTransient: true)
        case .tooLarge: self.init(.limitExceeded, "The context is too large. \(error.message)")
        default: self.init(.badContainerfile, "The context cannot be used. \(error.message)")
        }
    }

    /// Runs work of a step, and translates its failures.
    ///
    /// - Throws: ``BuildFailure``, `CancellationError`, or an error that no part declares.
    static func translating<Value>(attempt: Int, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let failure as NodeFailure {
            throw BuildFailure(failure, attempt: attempt)
        } catch let failure as RegistryFailure {
            if failure.code == .canceled { throw CancellationError() }
            throw BuildFailure(failure)
        } catch let problem as ContainerfileProblem {
            throw BuildFailure([problem])
        } catch let failure as ComposeFailure {
            throw BuildFailure(failure)
        } catch let error as ImageArchiveError {
            throw BuildFailure(error)
        }
    }
}
