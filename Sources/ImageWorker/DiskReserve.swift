import BuildNodes
public import ComposeStore
public import Logging
import Synchronization
public import SystemPackage

/// A *disk reserve* is the space that must be free where images are built. With less, the worker
/// begins no platform, and still writes manifest lists. So a build does not fail for want of space that
/// another one is about to give back.
public final class DiskReserve: Sendable {
    private let directory: FilePath
    private let bytes: Int
    private let wasLow = Mutex(false)

    /// - Parameter bytes: The least bytes that must be free. 0 for no reserve.
    public init(of directory: FilePath, bytes: Int) {
        self.directory = directory
        self.bytes = bytes
    }

    /// Returns the part of an offer that this worker can do with the space that is free now. A change is
    /// logged once.
    public func offer(_ offer: StepOffer, logger: Logger) -> StepOffer {
        // An error says that the space is not known. A build then fails with its own explanation.
        guard bytes > 0, let free = try? directory.freeBytes() else { return offer }
        let isLow = free < bytes
        let hasChanged = wasLow.withLock { wasLow in
            defer { wasLow = isLow }
            return wasLow != isLow
        }
        if hasChanged {
            let numbers: Logger.Metadata = ["free_megabytes": "\(free >> 20)", "needed_megabytes": "\(bytes >> 20)"]
            if isLow {
                logger.warning("the disk is nearly full; no platform is built here (images.min_free_megabytes)", metadata: numbers)
            } else {
                logger.notice("the disk has room again; platforms are built here", metadata: numbers)
            }
        }
        return isLow ? offer.withoutOwnNode : offer
    }
}
