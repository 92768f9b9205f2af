import ComposeStore
import Foundation
import ImageModel
import ImageWorker
import Logging
import SystemPackage
import Testing

/// The space that must be free where images are built.
@Suite struct DiskReserveTests {
    private static let directory = FilePath(FileManager.default.temporaryDirectory.path)

    @Test("with too little space, a worker offers no platforms, and still manifest lists of images that require its labels")
    func low() throws {
        let offer = StepOffer(platforms: [try Platform("linux/amd64")], labels: ["host": "rhel"])
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        #expect(DiskReserve(of: Self.directory, bytes: 1).offer(offer, logger: logger) == offer)
        #expect(DiskReserve(of: Self.directory, bytes: 0).offer(offer, logger: logger) == offer)
        let low = DiskReserve(of: Self.directory, bytes: .max).offer(offer, logger: logger)
        #expect(low == StepOffer(platforms: [], labels: ["host": "rhel"]))
        #expect(DiskReserve(of: Self.directory.appending("absent"), bytes: .max).offer(offer, logger: logger) == offer)
    }
}
