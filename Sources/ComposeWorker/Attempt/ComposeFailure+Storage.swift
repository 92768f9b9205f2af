import ComposeModel
import Compression
import ContentSources
import Foundation
import Repodata
import SystemPackage

extension ComposeFailure {
    /// Creates the failure for a failed write to the target directory. It is transient, because a full disk
    /// may be cleared.
    init(storage error: any Error) {
        let what =
            switch error {
            case CocoaError.fileWriteOutOfSpace, Errno.noSpace, Errno.diskQuotaExceeded:
                "This service's disk is full. The operator of this service has to make room."
            case CocoaError.fileWriteNoPermission, CocoaError.fileWriteVolumeReadOnly, Errno.permissionDenied, Errno.readOnlyFileSystem:
                "The server may not write to the disk that composes are written to; the operator of this server can help."
            case let error as RepodataError:
                "The compose could not be written to disk (\(error.message)); the operator of this server can help."
            case let error as Errno: "The compose could not be written to disk (\(error)); the operator of this server can help."
            case let error as CocoaError:
                "The compose could not be written to disk (file error \(error.code.rawValue)); the operator of this server can help."
            default: "The compose could not be written to disk; the operator of this server can help."
            }
        self.init(.storage, what, isTransient: true)
    }

    /// Creates the failure for repodata that could not be written.
    init(writing error: RepodataError) {
        switch error.code {
        case .io: self.init(storage: error)
        case .signing: self.init(.signing, error.message)
        case .host: self.init(host: error)
        default: self.init(.metadataCorrupt, error.message)
        }
    }

    /// Returns the failure for an error of writing a tree: of its files, or of its repodata. Returns any
    /// other error as it is.
    static func writing(_ error: any Error) -> any Error {
        switch error {
        case let error as RepodataError: ComposeFailure(writing: error)
        case is CocoaError, is Errno: ComposeFailure(storage: error)
        default: error
        }
    }
}
