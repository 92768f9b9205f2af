import Postgres
import Testing

struct SQLTests {
    @Test("interpolated values become numbered parameters")
    func interpolatedValuesBecomeNumberedParameters() {
        let name = "x'; DROP TABLE t; --"
        let sql: SQL = "SELECT 1 FROM t WHERE name = \(name) AND size > \(3)"
        #expect(sql.text == "SELECT 1 FROM t WHERE name = $1 AND size > $2")
    }

    @Test("a fragment's parameters are numbered on")
    func fragmentParametersAreNumberedOn() {
        let condition: SQL = "b = \(2) OR c = \(3)"
        let sql: SQL = "SELECT 1 WHERE a = \(1) AND (\(fragment: condition)) LIMIT \(4)"
        #expect(sql.text == "SELECT 1 WHERE a = $1 AND (b = $2 OR c = $3) LIMIT $4")
    }

    @Test("an identifier is quoted and unsafe text is not")
    func identifierIsQuotedAndUnsafeText() {
        #expect(
            ("SELECT * FROM \(identifier: "a\"b") ORDER BY \(unsafe: "id DESC")" as SQL).text == "SELECT * FROM \"a\"\"b\" ORDER BY id DESC"
        )
    }
}
