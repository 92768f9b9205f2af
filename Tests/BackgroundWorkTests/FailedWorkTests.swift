import BackgroundWork
import LogTestKit
import Logging
import Testing

@Suite("Work that failed") struct FailedWorkTests {
    private struct Broken: Error {}

    @Test("work that failed is in the log, and work that was canceled at the end of a process is not")
    func canceled() async {
        let log = RecordingLog()
        log.logger.workFailed("could not expire composes", Broken())
        log.logger.workFailed("could not read events", Broken(), level: .warning)
        let lines = ["error could not expire composes error=Broken()", "warning could not read events error=Broken()"]
        #expect(log.lines == lines)
        let ending = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            log.logger.workFailed("could not expire composes", CancellationError())
        }
        await ending.value
        #expect(log.lines == lines)
    }
}
