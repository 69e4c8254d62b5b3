package browser

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// site is a running server with logged runs, and a browser to look at it.
type site struct {
	url     string
	browser context.Context
}

// open starts a server with logged runs. MILLPOND_URL names one that runs already.
func open(t *testing.T) *site {
	t.Helper()
	return launch(t, func() string {
		if url := os.Getenv("MILLPOND_URL"); url != "" {
			return url
		}
		url := serve(t, filepath.Join(t.TempDir(), "data"), func() {})
		seed(t, url)
		return url
	})
}

// launch starts the browser and what it looks at.
func launch(t *testing.T, start func() string) *site {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("chromium is not installed (make deps installs it)")
	}
	s := &site{url: start()}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true), chromedp.WindowSize(1280, 800))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	browser, quit := chromedp.NewContext(alloc)
	t.Cleanup(quit)
	if err := chromedp.Run(browser); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	s.browser = browser
	return s
}

// serve starts the program on a directory that prepare has filled.
func serve(t *testing.T, dir string, prepare func()) string {
	t.Helper()
	bin := os.Getenv("MILLPOND_BIN")
	if bin == "" {
		t.Skip("MILLPOND_BIN does not name a program to test (make test-browser sets it)")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	prepare()
	connect, http := freeAddr(t), freeAddr(t)
	cmd := exec.Command(bin, "serve", "--data-dir", dir, "--connect", connect, "--http", http)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		begin := time.Now()
		_ = cmd.Wait()
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("the server took %s to stop: a page that listens must not hold it", took)
		}
	})
	url := "http://" + http
	waitFor(t, url+"/health")
	return url
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func waitFor(t *testing.T, url string) {
	t.Helper()
	for range 200 {
		if res, err := http.Get(url); err == nil {
			_ = res.Body.Close() // only that it answers matters
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not answer", url)
}

// seed logs runs with the MLflow client of MILLPOND_PYTHON, or of the managed runtime.
func seed(t *testing.T, url string) {
	t.Helper()
	words := strings.Fields(os.Getenv("MILLPOND_PYTHON"))
	if len(words) == 0 {
		words = []string{os.Getenv("MILLPOND_BIN"), "runtime", "run", "--", "python"}
	}
	out, err := exec.Command(words[0], append(words[1:], "seed.py", url)...).CombinedOutput()
	if err != nil {
		t.Fatalf("log runs with the MLflow client: %v\n%s", err, out)
	}
}

// tab is a page in the browser. What the browser complains of fails the test when it closes.
type tab struct {
	*testing.T
	ctx    context.Context
	url    string
	weight *int64 // bytes that came over the wire
}

func (s *site) open(t *testing.T, path string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(s.browser)
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	w := &tab{t, ctx, s.url, new(int64)}
	var complaints []string
	chromedp.ListenTarget(ctx, func(ev any) {
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			// A script in the sandbox that was refused is what the test wants.
			if e.Entry.Level == log.LevelError && !strings.Contains(e.Entry.URL, "view=sandbox") && !strings.Contains(e.Entry.Text, "status of 4") {
				complaints = append(complaints, e.Entry.Text+" "+e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			if !strings.Contains(e.ExceptionDetails.URL, "view=sandbox") {
				complaints = append(complaints, e.ExceptionDetails.Error())
			}
		case *network.EventLoadingFinished:
			*w.weight += int64(e.EncodedDataLength)
		}
	})
	t.Cleanup(func() {
		for _, c := range complaints {
			t.Errorf("%s: the browser complains: %s", path, c)
		}
		if t.Failed() {
			w.shoot(filepath.Join(os.TempDir(), "millpond-"+strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())+".png"))
		}
		cancel()
		closeTab()
	})
	w.do(network.Enable(), log.Enable(), chromedp.Navigate(s.url+path))
	return w
}

func (w *tab) do(actions ...chromedp.Action) {
	w.Helper()
	if err := chromedp.Run(w.ctx, actions...); err != nil {
		w.Fatal(err)
	}
}

// eval runs a script in the page and returns what it gives as text.
func (w *tab) eval(script string) string {
	w.Helper()
	var out any
	w.do(chromedp.Evaluate(script, &out, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return fmt.Sprint(out)
}

// until waits for a script to be true.
func (w *tab) until(what, script string) {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		// While one page gives way to the next there is nothing to ask.
		var is bool
		if err := chromedp.Run(w.ctx, chromedp.Evaluate("(() => { try { return !!("+script+") } catch { return false } })()", &is)); err == nil && is {
			return
		}
	}
	w.Fatalf("%s: not within ten seconds; the page shows %.600s", what, w.eval("document.querySelector('main').innerText"))
}

func (w *tab) shoot(file string) {
	var raw []byte
	if err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot(&raw)); err != nil {
		w.Logf("no screenshot: %v", err)
		return
	}
	small := shrink(raw)
	if err := os.WriteFile(file, small, 0o644); err != nil {
		w.Logf("no screenshot: %v", err)
		return
	}
	w.Logf("screenshot: %s (%d kB)", file, len(small)/1000)
}

// apart says whether the eye tells two colours from each other: shades at the edges of letters
// must not take the place of a colour that is rare.
func apart(a, b color.Color) bool {
	const least = 12 // of 255
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	far := func(x, y uint32) bool { return max(x, y)-min(x, y) > least<<8 }
	return far(ar, br) || far(ag, bg) || far(ab, bb)
}

// grounds is how many colours are kept exactly: those of the large surfaces.
const grounds = 32

// shrink packs a picture into 256 colours, those that it has most of first.
func shrink(raw []byte) []byte {
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return raw
	}
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA) }
	box := img.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range colors {
		if len(palette) == 256 {
			break
		}
		if len(palette) < grounds || apart(c, palette[palette.Index(c)]) {
			palette = append(palette, c)
		}
	}
	index := map[color.RGBA]uint8{}
	for _, c := range colors {
		index[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			small.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		return raw
	}
	return out.Bytes()
}

func dark(on bool) chromedp.Action {
	scheme := "light"
	if on {
		scheme = "dark"
	}
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}})
}
