package tracking

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/rest/resttest"
)

func TestMultipart(t *testing.T) {
	a := newAPI(t)
	const mpu = "/api/2.0/mlflow-artifacts/mpu/"
	made := a.OK("POST", mpu+"create/1/r/artifacts", body{"path": `C:\models\m.bin`, "num_parts": 2})
	url := resttest.Dig(made, "credentials", 1, "url").(string)
	if want := "http://example.com" + mpu + "part/"; !strings.HasPrefix(url, want) || resttest.Dig(made, "credentials", 2) != nil {
		t.Errorf("%v", made)
	}
	put := func(url, content string) string {
		w := httptest.NewRecorder()
		a.mux.ServeHTTP(w, httptest.NewRequest("PUT", url, strings.NewReader(content)))
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", url, w.Code, w.Body)
		}
		return w.Header().Get("ETag")
	}
	second := put(url, "two")
	first := put(resttest.Dig(made, "credentials", 0, "url").(string), "one")
	done := body{"path": "m.bin", "upload_id": made["upload_id"], "parts": []body{{"part_number": 1, "etag": first}, {"part_number": 2, "etag": second}}}
	a.Fails("POST", mpu+"complete/1/other/artifacts", done, 400, invalid, "")
	a.OK("POST", mpu+"complete/1/r/artifacts", done)
	if got := a.OK("GET", "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/m.bin", nil); got["raw"] != "onetwo" {
		t.Errorf("%v", got)
	}
	a.Fails("POST", mpu+"complete/1/r/artifacts", done, 404, "RESOURCE_DOES_NOT_EXIST", "no such upload")
	a.Fails("POST", mpu+"abort/1/r/artifacts", body{"path": "m.bin", "upload_id": "x"}, 404, "RESOURCE_DOES_NOT_EXIST", "no such upload")
	for _, in := range []body{{}, {"path": ".."}, {"path": "/"}, {"path": "x", "num_parts": 0}, {"path": "x", "num_parts": 10001}} {
		a.Fails("POST", mpu+"create/1/r", in, 400, invalid, "")
	}
	a.Fails("POST", mpu+"create/..%2f..", body{"path": "x"}, 400, invalid, "")
}

func TestUploadChecksum(t *testing.T) {
	a := newAPI(t)
	for sum, want := range map[string]int{"XUFAKrxLKna5cZ2REBfFkg==": 200, "AAAAAAAAAAAAAAAAAAAAAA==": 400, "?": 400} {
		r := httptest.NewRequest("PUT", "/api/2.0/mlflow-artifacts/artifacts/f", strings.NewReader("hello"))
		r.Header.Set("Content-MD5", sum)
		w := httptest.NewRecorder()
		if a.mux.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d %s", sum, w.Code, w.Body)
		}
	}
}
